"""Made by tools/public_suffixes.py; not edited by hand."""

# 2433 suffixes of https://publicsuffix.org/ (MPL 2.0),
# by @gorhill/ubo-core 0.1.30: a top-level domain, then what stands before it.
LABELS_BY_TOP_LEVEL_DOMAIN = """
ac com edu gov mil net org
ad nom
ae ac blogspot co gov mil net org sch
aero media press
af com edu gov net org
ag co com net nom org
ai com framer net org
al blogspot com edu gov mil net org
am blogspot co com net org radio
ao co ed gv
app adaptable bookonline clerk clerkstage csb deta easypanel edgecompute encr expo flutterflow
  framer hasura loginline messerli netfy netlify ngrok-free ngrok noop nyat ondigitalocean
  platform0 replit storipress streamlit telebit typedream vercel wdh web wnext zeabur
ar com coop edu gob gov int mil net org
as gov
asia cloudns
at 12hp 2ix 4lima ac biz co gv info lima-city myspreadshop or priv
au com conf edu gov id info net nt org sa
aw com
az biz com edu gov info int mil name net org pp pro
ba blogspot com edu gov mil net org
bb biz co com edu gov info net org store tv
bd *
be 123website ac blogspot cloudns myspreadshop
bf gov
bg b barsy blogspot i
bh com edu gov net org
bi co com edu or org
biz cloudns dscloud dyndns no-ip selfip webhop
bj agro blogspot co com edu info net org tourism
bm com edu gov net org
bn co com edu gov net org
bo agro com edu gob info int mil net org tv web
br art b com coop edu fm gov ind inf med mil net org pro radio rec tv
bs com edu gov net org
bt com edu gov net org
business co
bw co org
by com gov mil of
bz com edu gov mydns net org za
ca barsy blogspot co myspreadshop no-ip nt pe
cc cleverapps cloudns twmail
cd gov
cf blogspot
ch 123website 12hp 2ix 4lima blogspot cloudns gotdns lima-city myspreadshop square7
ci ac asso co com ed edu fin go gouv int net or org presse
ck *
cl blogspot cloudns co gob gov mil
cloud diadem elementor jele jotelulu keliweb kuleuven linkyard matlab observablehq oxa perspecta
  primetel ravendb servebolt trafficplex unison-services urown vapor voorloper zap
club barsy cloudns jele
cm co com gov net
cn ac com edu gov hk mil mo net org sc xn--55qx5d xn--od0alg
co arts carrd com crd edu firewalledreplit firm gov info int leadpages lpages mil mypi n4t net
  nom org rec repl supabase web
com 001www 180r 1kapp 3utilities 4u a2hosted adobeaemcloud africa airkitapps-au airkitapps
  aivencloud aliases121 alpha-myqnapcloud amplifyapp appchizi applinzi apps-1and1 appspacehosted
  appspaceusercontent appspot atmeta authgear-staging authgearapps awsapps awsglobalaccelerator
  balena-devices barsycenter barsyonline betainabox blogdns blogspot blogsyte bloxcms boutir
  bplaced br builtwithdark cafjs canva-apps cdn77-storage cechire cf-ipfs ciscofreak cloudflare-
  ipfs cn co codespot cprapid cpserver damnserver dattolocal dattorelay dattoweb ddns5 ddnsfree
  ddnsgeek ddnsking de dev-myqnapcloud discordsays discordsez ditchyourip dnsabr dnsalias
  dnsdojo dnsiskinky doesntexist dojin dontexist doomdns dopaas drayddns dreamhosters dsmynas
  durumis dyn-o-saur dynalias dyndns-at-home dyndns-at-work dyndns-blog dyndns-free dyndns-home
  dyndns-ip dyndns-mail dyndns-office dyndns-pics dyndns-remote dyndns-server dyndns-web dyndns-
  wiki dyndns-work dynns elasticbeanstalk encoreapi est-a-la-maison est-a-la-masion est-le-
  patron est-mon-blogueur eu familyds fastly-edge fastly-terrarium fastvps-server firebaseapp
  firewall-gateway fldrv forgeblocks framercanvas freebox-os freeboxos freemyip from-ak from-al
  from-ar from-ca from-ct from-dc from-de from-fl from-ga from-hi from-ia from-id from-il from-
  in from-ks from-ky from-ma from-md from-mi from-mn from-mo from-ms from-mt from-nc from-nd
  from-ne from-nh from-nj from-nm from-nv from-oh from-ok from-or from-pa from-pr from-ri from-
  sc from-sd from-tn from-tx from-ut from-va from-vt from-wa from-wi from-wv from-wy geekgalaxy
  gentapps gentlentapis getmyip giize githubusercontent gleeze googleapis googlecode gotdns
  gotpantheon gr grayjayleagues hatenablog hatenadiary health-carereform herokuapp herokussl hk
  hobby-site homelinux homesecuritymac homesecuritypc homeunix hostedpi hotelwithflight
  iamallama is-a-anarchist is-a-blogger is-a-bookkeeper is-a-bulls-fan is-a-caterer is-a-chef
  is-a-conservative is-a-cpa is-a-cubicle-slave is-a-democrat is-a-designer is-a-doctor is-a-
  financialadvisor is-a-geek is-a-green is-a-guru is-a-hard-worker is-a-hunter is-a-landscaper
  is-a-lawyer is-a-liberal is-a-libertarian is-a-llama is-a-musician is-a-nascarfan is-a-nurse
  is-a-painter is-a-personaltrainer is-a-photographer is-a-player is-a-republican is-a-rockstar
  is-a-socialist is-a-student is-a-teacher is-a-techie is-a-therapist is-an-accountant is-an-
  actor is-an-actress is-an-anarchist is-an-artist is-an-engineer is-an-entertainer is-certified
  is-gone is-into-anime is-into-cars is-into-cartoons is-into-games is-leet is-not-certified is-
  slick is-uberleet is-with-theband isa-geek isa-hockeynut issmarterthanyou it jdevcloud jpn
  kasserver kozow ladesk likes-pie likescandy live-website logoip loseyourip lpusercontent
  mazeplay messwithdns meteorapp mex miniserver modelscape mwcloudnonprod myactivedirectory
  myasustor mycloudnas mydatto mydbserver mydobiss mydrobo myiphost mynascloud myqnapcloud
  mysecuritycamera myshopblocks myshopify myspreadshop mytabit mytuleap myvnc neat-url net-
  freaks nfshost on-aptible onfabrica onrender onthewifi ooguy operaunite orsites
  outsystemscloud ownprovider pagespeedmobilizer pagexl pgfog pixolino platter-app playstation-
  cloud pleskns point2this polyspace postman-echo pythonanywhere qa2 qbuser qualifioapp
  quicksytes rackmaze readthedocs-hosted remotewd reservd reserve-online rhcloud routingthecloud
  ru sa sakuratan sakuraweb saves-the-whales scrysec securitytactics selfip sells-for-less
  sells-for-u servebbs servebeer servecounterstrike serveexchange serveftp servegame
  servehalflife servehttp servehumour serveirc servemp3 servep2p servepics servequake
  servesarcasm shopitsite siiites simple-url simplesite sinaapp skygearapp smushcdn space-to-
  rent stackhero-network strapiapp streak-link streaklinks streakusercontent streamlitapp
  stufftoread teaches-yoga temp-dns theworkpc thingdustdata townnews-staging try-snowplow
  trycloudflare tuleap-partners uk unusualperson upsunapp us vipsinaapp w-corp-staticblitz
  w-credentialless-staticblitz w-staticblitz wafflecell webadorsite withgoogle withyoutube
  wixsite wixstudio woltlab-demo workisboring wpdevcloud wpenginepowered wphostedmail wpmucdn
  writesthisblog x0 xnbay yolasite za
community ravendb
cool de
cr ac co ed go or sa
cu com edu gob gov inf net org
cv blogspot com edu int org
cw com edu net org
cx cloudns gov info
cy ac biz com gov ltd mil net org press pro tm
cz blogspot co
de 12hp 2ix 4lima barsy blogspot bplaced com firewall-gateway in-dsl in-vpn lima-city
  myspreadshop spdns square7
dev 12chars barsy curv deno-staging deno deta fly githubpreview hrsn is-a-fullstack is-a-good
  is-a is-cool is-not-a iserv localplayer loginline mediatech modx ngrok-free ngrok pages panel
  platter-app r2 replit runcontainers vercel workers xmit
dk biz blogspot co firm myspreadshop store
dm com edu gov net org
do art com edu gob gov mil net org web
dz art asso com edu gov net org pol tm
ec com edu fin gob gov info k12 med mil net org pro
education co
ee com edu gov med org
eg com edu gov mil name net org
er *
es com edu gob myspreadshop nom org
et biz com edu gov info name net org
eu airkitapps barsy cloudns diskstation spdns
events co
faith ybo
fi blogspot myspreadshop
financial co
fj ac biz com gov info mil name net org pro
fk *
fm com edu net org radio
fr asso blogspot com gouv myspreadshop nom prd tm
gd edu gov
ge com edu gov mil net org
gg co net org stackit
gh com edu gov mil org
gi com edu gov ltd org
gl biz co com edu net org
gn ac com edu gov net org
gp asso com edu mobi net org
gr barsy blogspot com edu gov net org simplesite
gt com edu gob ind mil net org
gu com edu gov info net org web
gy co com edu gov net org
hk blogspot com edu gov ltd net org xn--55qx5d xn--od0alg xn--uc0atv
hn com edu gob mil net org
host jele mircloud
hr blogspot com name
ht art asso com coop edu firm gouv info med net org perso pol pro shop
hu blogspot co hotel info media org priv shop tm
id ac biz co go mil net or sch web
ie blogspot gov myspreadshop
il ac co gov k12 net org
im ac co com net org tv
in ac barsy biz blogspot ca cloudns cn co com coop dr edu firm gen gov ind info int me mil net
  nic org pro supabase travel tv uk us web
info barsy cloudns dyndns no-ip selfip webhop
int eu
io 2038 apigee b-data barsy basicserver beagleboard bitbucket bluebite boxfuse browsersafetymark
  cleverapps com darklang dedyn definima drud editorx edugit fh-muenster github gitlab hasura-
  app hostyhosting hypernode hzc jele loginline lolipop mo-siemens musician myrdbx ngrok
  pantheonsite protonet pstmn qcx qoto readthedocs resindevice sandcats shiftedit shw spacekit
  telebit tickets upli utwente vaporcloud virtualserver webflow webflowtest webthings wixstudio
iq com edu gov mil net org
ir ac co gov id net org sch
is blogspot com edu gov int net org
it 12chars al blogspot ca cn co edu fm go gov gr me mi mo ms myspreadshop or pe sa tv va
je co net of org
jm *
jo com edu gov mil name net org sch
jp ac blogspot co ed go gr hatenadiary mydns ne or
ke ac co go info me mobi ne or sc
kg com edu gov mil net org us
kh *
ki biz com edu gov info net org
km asso com coop edu gouv gov mil nom org prd presse tm
kn edu gov net org
kp com edu gov org
kr ac blogspot co go hs mil ms ne or pe sc
krd co edu
kw com edu gov ind net org
ky com edu net org
kz com edu gov mil net org
la com edu gov info int net org per
lb com edu gov net org
lc co com edu gov net org
li blogspot
lk ac com edu gov hotel int ltd net ngo org sch web
lr com edu gov net org
ls ac biz co edu gov info net org sc
lt blogspot gov
lu 123website blogspot
lv com conf edu gov id mil net org
ly com edu gov id med net org plc sch
ma ac co gov net org press
mc asso tm
md blogspot
me ac barsy brasilia c66 co craft ddns diskstation dnsfor dscloud edgestack edu filegear-sg
  filegear glitch gov hopto i234 its loginto lohmus mcdir mcpe myds net nohost noip org priv
  soundcast synology tcp4 vp4 webhop yombo
media framer
menu barsy barsyonline
mg co com edu gov mil nom org prd tm
mk blogspot com edu gov inf name net org
ml com edu gouv gov net org presse
mm *
mn edu gov org
mo com edu gov net org
mobi barsy dscloud
mom ind
mr blogspot gov
ms com edu gov net org
mt com edu net org
mu ac co com gov net or org
mv biz com coop edu gov info int mil museum name net org pro
mw ac biz co com coop edu gov int museum net org
mx blogspot com edu gob net org
my biz blogspot com edu gov mil name net org
mz ac co edu gov mil net org
na ca co com dr in info mobi name or org pro school tv us
nc asso nom
net adobeaemcloud adobeio-static adobeioruntime akadns akamai-staging akamai akamaiedge-staging
  akamaiedge akamaihd-staging akamaihd akamaiorigin-staging akamaiorigin akamaized-staging
  akamaized alwaysdata apps-1and1 appudo at-band-camp azure-api azure-mobile azureedge azurefd
  azurestaticapps azurewebsites barsy blackbaudcdn blogdns boomla bounceme bplaced broke-it
  buyshouses casacam cdn-edges cdn77-ssl channelsdvr clickrising cloudaccess cloudapp cloudflare
  cloudfront cloudfunctions cloudjiffy cloudycluster community-pro ctfcloud dattolocal ddns
  debian definima dns-cloud dns-dynamic dnsalias dnsdojo dnsup does-it dontexist dsmynas
  dynalias dynathome dynu dynv6 eating-organic edgeapp edgekey-staging edgekey edgesuite-staging
  edgesuite endofinternet familyds fastlylb feste-ip firewall-gateway from-az from-co from-la
  from-ny gb gets-it ggff ham-radio-op heteml hicam homeftp homeip homelinux homeunix hu in-dsl
  in-the-band in-vpn in iobb ipifony is-a-chef is-a-geek isa-geek jp keyword-on kicks-ass
  kinghost knx-server krellian live-on localcert localhostcert mafelo meinforum memset moonscale
  myamaze mydatto mydissent myeffect myfritz mymediapc mypsx myradweb mysecuritycamera
  myspreadshop nhlfan no-ip now-dns office-on-the onavstack ownip pgafan podzone
  privatizehealthinsurance rackmaze redirectme reserve-online routingthecloud ru schokokeks
  scrapper-site se seidat selfip sells-it senseering servebbs serveblog serveftp serveminecraft
  server-on shopselect siteleaf square7 squares static-access supabase sytes thruhere torproject
  trafficmanager ts twmail uk uni5 vpndns vps-host vusercontent webhop yandexcloud za
network co
nf arts com firm info net per rec store web
ng biz com edu firm gen gov i ltd mil mobi name net ngo org plc sch
ni ac biz co com edu gob in info int mil net nom org web
nl 123website blogspot co gov myspreadshop
no al blogspot co fm mil museum myspreadshop nt of priv tm va
np *
nr biz com edu gov info net org
nz ac cloudns co gen mil net org school
om co com edu gov med museum net org pro
online barsy
org accesscam ae altervista barsy blogdns blogsite bmoattachments boldlygoingnowhere cable-modem
  camdvr cloudns collegefan couchpotatofries ddnss diskstation dnsalias dnsdojo doesntexist
  dontexist doomdns dsmynas duckdns dvrdns dynalias dyndns dynserv endofinternet
  endoftheinternet eu familyds fedorainfracloud fedorapeople freeddns freedesktop from-me game-
  host gotdns hatenadiary hepforge hk hobby-site homedns homeftp homelinux homeunix hopto
  httpbin in-dsl in-vpn is-a-bruinsfan is-a-candidate is-a-celticsfan is-a-chef is-a-geek is-a-
  knight is-a-linux-user is-a-patsfan is-a-soxfan is-found is-local is-lost is-saved is-very-bad
  is-very-evil is-very-good is-very-nice is-very-sweet isa-geek jpn js kicks-ass mayfirst
  misconfused mlbfan my-firewall myfirewall myftp mysecuritycamera mywire nflfan no-ip now-dns
  pimienta podzone poivron potager pubtls read-books readmyblog routingthecloud selfip
  sellsyourhome servebbs serveftp servegame small-web spdns stuff-4-sale sweetpepper toolforge
  tunk tuxfamily twmail ufcfan us webhop webredirect wmcloud wmflabs za zapto
pa ac com edu gob med net nom org
page aem codeberg hlx hlx3 pdns plesk prvcy rocky translated
party ybo
pe blogspot com edu gob mil net nom org
pf com edu org
pg *
ph cloudns com edu gov i mil net ngo org
photos framer
pizza ngrok
pk ac biz com edu gob gov net org web
pl agro art biz co com edu gov info med media mil myspreadshop net nom org priv shop simplesite
  tm tourism travel
place co
pm name
pn co edu gov net org
pr ac biz com edu gov info name net org pro
pro 12chars barsy cloudns med ngrok
ps com edu gov net org
pt blogspot com edu gov int net org
pub barsy
pw cloudns co ed go ne or
py com coop edu gov mil net org
qa blogspot com edu gov mil name net org sch
re asso blogspot com nom
review ybo
ro arts barsy blogspot co com firm info nom nt org rec shop store tm
rocks lima-city stackit
rs ac barsy blogspot co edu gov in org
ru ac blogspot com edu gov int mil mircloud net org pp
run hs ravendb stackit
rw ac co coop gov mil net org
sa com edu gov med net org sch
sb com edu gov net org
sc com edu gov net org
science ybo
scot gov
sd com edu gov info med net org tv
se ac b blogspot com conf i myspreadshop org pp press tm
services loginline
sg blogspot com edu gov net org per
sh com gov mil net org
shop barsy barsyonline base hoplix shopware
si blogspot
site barsy byen convex cyon fastvps fnwk folionetwork jele jouwweb lelux loginline madethis
  notion novecore omniwe opensocial srht wpsquared
sk blogspot
sl com edu gov net org
sn art blogspot com edu gouv org perso
so com edu gov me net org
ss biz com edu gov me net org sch
st co com edu mil net org store
store barsy
support barsy
sv com edu gob org
sx gov
sy com edu gov mil net org
sz ac co org
td blogspot
tech cleverapps
technology co
tf sch
th ac co go in mi net or shop
tj ac biz co com edu go gov int mil name net nic org web
tl gov
tm co com edu gov mil net nom org
tn com fin gov ind info net org perso tourism
to com edu gov mil net org
top now-dns
tr biz com dr edu gen gov info k12 mil name net org pol tv web
trade ybo
tt biz co com coop edu gov info int mobi museum name net org pro travel
tv dyndns
tw blogspot com edu gov mil mydns net org xn--uc0atv
tz ac co go hotel info me mil mobi ne or sc tv
ua biz cn co com edu gov in inf ltd net org pp
ug ac blogspot co com go ne or org sc
uk ac barsy co gov ltd me net org plc
us al ca cloudns co de id in me mi mircloud mo ms ne ngo or sc va
uy com edu mil net org
uz co com net org
vc com edu gov gv mil mydns net org
ve arts co com edu firm gob gov info int mil net nom org rec store web
vi co com k12 net org
vn ac biz blogspot com edu gov id info int name net org pro
vu com edu net org
website framer
wf biz sch
wiki framer
ws com dyndns edu gov net org
xn--j6w193g xn--55qx5d xn--od0alg xn--uc0atv
ye com edu gov mil net org
yt org
za ac co edu gov mil net ngo nic nom org school tm web
zm ac biz co com edu gov info mil net org sch
zone hs stackit
zw ac co gov mil org
"""
