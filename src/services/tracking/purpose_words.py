"""The words of forms for people who are known and of offers, plain, in six languages.

English, German, French, Spanish, Portuguese, Italian; `form_purposes` says how they are read.
"""

import re

_LOGIN_WORDS = (
    r"(?:passw(?:or[dt]|d)\b|kennwort|contrasena\b|mot de passe|senha\b|palavra passe|zugangsdaten"
    r"|anmeldedaten|login (?:data|details)|user ?(?:name|id)|credencia(?:l|is|les)\b"
    r"|credenzial|identifiant|benutzername)"
)
_LOST = (
    r"(?:forg[eo]t|remember|\blost|reset|recover|change|\bnew(?!s)|\bae?nder|modif|cambi|\balterar?\b"
    r"|vergess|zuruck|zurueck|neues|\bneu (?:setz|vergeb)|olvid|recup|restab|oubli|perd[uie]"
    r"|nouveau|\bnuev|\bnov[ao]\b|\bnuov"
    r"|recuerd|souviens|ricord|lembr|smarrit|\bpers[oa]\b|initialis|esque|redefin|dimentic|reimpost)"
)
_MY = (
    r"(?:my|your|(?:m|d)eine?[mnrs]?|ihre?[mnrs]?|ma|mon|mes|votre|vos|ta|ton|mis?|tus?|sus?"
    r"|(?:o |a )?(?:meu|minha|seu|sua)s?|(?:il |la |i |le )?(?:mi[oae]|tu[oae]|suo|miei|tuoi))"
)
_ARTICLE = r"(?:an?|the|de[nrs]|die|das|eine?n?|une?|el|la|les?|l|il|una|uma?|os?)"
_ORDER = (
    r"(?:order|parcel|shipment|sendung|bestell(?:ung)?|paket|commande|colis|pedido"
    r"|encomenda|envo?io?|ordine|pacco|spedizion[ei])"
)
# One thing that somebody has who is known, and what he does with it. Anybody looks for a date.
_PURCHASE = (
    rf"(?:{_ORDER}|delivery|booking|reservation|invoice|lieferung|buchung|reservierung"
    r"|rechnung|livraison|facture|reserva|factura|fatura|prenotazione|fattura)"
)
_CONTRACT = (
    r"(?:appointment|account|subscriptions?|membership|profil[eo]?|perfil|termin"
    r"|konto|abo|mitgliedschaft|rendez vous|rdv|compte|abonnements?|cita|cuenta"
    r"|suscripcion(?:es)?|marcacao|conta|trip|flight|flug|reise|vol|voyage|vuelo|viaje|voo"
    r"|viagem|volo|viaggio"
    r"|assinaturas?|subscricao|appuntamento|abbonamento|iscrizion[ei])"
)
_POSSESSION = rf"(?:{_PURCHASE}|{_CONTRACT})"
_PRODUCT = rf"(?:{_ORDER}|items?|articles?|articulo|producto|artigo|produto|articolo|prodotto)"
_FIND = (
    r"(?:find|look ?up|retrieve|check|view|retrouv\w+|consult\w+|buscar?|controlla|cerca"
    r"|encontr\w+|ver|voir|vedi|trova|localiz\w+|localis\w+)"
)
_DO = (
    r"(?:amend|postpone|changer|reporter|deplacer|suspendre|cambiar?|anular?|editar?|actualiz\w+"
    r"|suspender|sposta|disdi\w+|mudar|remarcar|rescindir|manage|cancel"
    r"|resilier|change|modify|edit|update|track|download|close|delete|deactivate"
    r"|reschedule|unlock|recup\w+|ger(?:er|ez)|modifi\w+|annul\w+|suivre|suivez"
    r"|supprim\w+|telecharg\w+|cloturer|fermer|gestion(?:ar?|e)|modific\w+|cancel(?:a|ar|e)|cancella(?:re)?"
    r"|eliminar?|borrar?|descarg\w+|cerrar|rastre\w+|seguir|segui"
    r"|gerir|gerenciar|alter\w+|excluir|apagar|encerrar|baixar|acompanh\w+"
    r"|gestisci|elimina|chiudi|scarica|traccia)"
)
_START = r"(?:start|begin|create|commencer|faire|iniciar?|solicitar|avvia|effettua|richiedi|fai)"
_MINE = r"(?:my|meine|mes|mis|meus|minhas|miei|mie)"
_DO_GERMAN = (
    r"(?:verwalten|ae?ndern|bearbeiten|stornieren|loe?schen|kue?ndigen|umbuchen|absagen|verfolgen"
    r"|verschieben|aktualisieren|abrufen|herunterladen|schliessen|wiederherstellen|entsperren)"
)
_RETURN = r"(?:return|retourn(?:er|ez)|devolver|devolva|restituisci|restituire|rendi)"
_RIGHTS = r"(?:rights?|rechte?|droits?|derechos?|direitos?|diritt[oi])"
_PERSONAL = r"\b(?:data|daten|donnees|datos|dados|dati)\b"
_CODE = r"(?:link|lien|enlace|codigo|code|codice)"
_LETTERS = r"(?:mail|communic|comunic|kommunik|notific|subscription|newsletter|correo)"
_PREFERENCES = r"(?:preference|preferenc|preferenz|praferenz|einstellung|settings)"
_ASK_FOR = (
    r"(?:request|download|access|export|see|view|demander|acced\w+|telecharger|exporter|descargar"
    r"|solicitar|exportar|acessar|baixar|scarica|richiedi|esporta)"
)
_LOGIN = (
    r"(?:log ?in(?:to)?|sign ?in(?:to)?|einloggen|sich anmelden|melden sie sich an|se connecter"
    r"|connectez vous|connexion|iniciar (?:sesion|sessao)|inici[ae] (?:sesion|sessao)"
    r"|fa(?:zer|ca) login|effettua (?:il )?login|identif(?:icate|iez vous|ique se)"
    r"|(?:member|client|customer|kunden) ?login)"
)
# Log in, or get in: to a waiting list, a course.
_ENTER = r"(?:acceder|accedez|accede|entrar|entre|accedi|ingresar|ingresa|acessar)"
DOOR = re.compile(_ENTER)
_SEARCH = r"(?:search|suchen|buscar|rechercher|cerca|pesquisar|procurar)"

# What a text, or one segment of a path, says if it serves an existing account.
KNOWN_PEOPLE = re.compile(
    "|".join(
        [
            # A lost password, a login by mail.
            rf"{_LOST}.{{0,25}}{_LOGIN_WORDS}|{_LOGIN_WORDS}.{{0,25}}{_LOST}",
            r"account recover\w*|recover.{0,9}account|(?:find|locate) (?:my|your) account",
            r"(?:trouble|problems?|can ?t|cannot) (?:log|sign)(?:g?ing)? ?in",
            r"(?:reset|recover\w*) ?link",
            r"(?:can ?t|cannot) access (?:my|your) account|(?:log|sign)(?:g?ing)? in help",
            r"magi\w+ ?link|(?:link|enlace|lien) (?:de )?magi\w+",
            r"\b(?:log|sign) ?in ?(?:link|form|code|(?:with|by|via) (?:an? )?(?:e? ?mail|code))\b",
            r"\b(?:anmelde|login|zugangs) ?(?:link|code)|link zum (?:anmelden|einloggen|login)",
            rf"{_CODE} (?:de|di) (?:connexion|acceso|acesso|accesso)\b",
            r"\b(?:resend|send again|erneut senden|renvoyer|reenviar|reinvia)\b.{0,30}",
            r"\bverify (?:my |your )e? ?mail",
            # An unsubscription, preferences.
            r"\bunsub\w*|opt ?out|newsletter.{0,12}abmeld\w*|abmeld\w*.{0,15}newsletter",
            r"abbestell\w*|\bdess?(?:abonn|inscri|uscri|ubscr)\w*",
            r"descadastr\w*|disiscriv\w*|cancellami\b|\brimuovimi\b",
            (
                rf"(?:cancel|annul)\w* (?:{_MY} |{_ARTICLE} )?(?:e ?mail |newsletter )?"
                r"(?:subscription|subscricao|suscri\w+"
                r"|inscri\w+|assinat\w+|iscri\w+)\b"
            ),
            r"(?:remove me|take me off) .{0,20}list|leave (?:the|this|our) .{0,12}list",
            r"cancellati dalla",
            (
                rf"(?=.*{_LETTERS})(?:no longer|ne plus|nicht mehr|keine .{{0,16}}mehr"
                r"|deixar de|dejar de|no quiero"
                r"|non voglio piu|smett\w+ di) (?:\w+ ){0,2}"
                r"(?:rec[ei]\w+|ricev\w+|erhalten|bekommen)"
            ),
            rf"{_LETTERS}\w*.{{0,15}}{_PREFERENCES}\w*|{_PREFERENCES}\w*.{{0,20}}{_LETTERS}\w*",
            rf"\b{_DO} (?:{_MY} )?{_PREFERENCES}\w*|{_PREFERENCES}\w* (?:speich|verwal)\w+",
            # Personal data.
            r"do not sell.*|delete (?:my|your) (?:personal )?information",
            rf"exer[cz]\w+ {_MY} {_RIGHTS}|ejer[cz]\w+ {_MY} {_RIGHTS}",
            rf"esercit\w+ {_MY} {_RIGHTS}",
            rf"{_RIGHTS} (?:rgpd|gdpr|dsgvo)",
            r"meine (?:rechte|daten) (?:anford|aus[uz]|einseh|herunterl|export|los)\w+",
            # What somebody has.
            rf"\b(?:{_DO} {_MY} {_POSSESSION}|{_FIND} {_MY} {_PURCHASE})\b",
            rf"\bm(?:y|eine?) {_POSSESSION} {_DO_GERMAN}",
            rf"\b{_RETURN} {_MY} {_PRODUCT}\b",
            (
                rf"(?:where (?:is|s|are)|cade|wo ist|ou est|donde esta|onde esta|dov e) {_MY}"
                rf" (?:package|{_ORDER})"
            ),
            rf"\btrack {_MY} package\b",
            (
                rf"\b(?:olvid|recup|restab|perdi|forg|reset|lost|vergess|change|cambi)\w*"
                rf" (?:{_MY} |la |the )?(?:clave|pin)\b|\bpin vergessen"
            ),
        ]
    )
)
# What it says if it says no more than this: `Cookie consent`, but not `Cookie consent made easy`.
KNOWN_ALONE = re.compile(
    "|".join(
        [
            rf"\b{_LOGIN}\b|\b{_SEARCH}\b|search ?(?:form|box)",
            rf"\b{_ENTER} (?:[an] |en |na |no |alla? |al |au )?{_MY} {_POSSESSION}\b",
            r"dsar|(?:data )?subject (?:access |rights )?request|right to be forgotten",
            r"personal data access",
            r"\bverify e? ?mail(?: address)?|one time (?:code|pass\w*)|einmal(?:code|pass\w*)",
            r"abmeld\w*|austragen|(?:dar\w* |date )?de baja|deixar de receber",
            r"stop (?:the |receiving )?e? ?mails",
            r"welcome back|willkommen zuruck|bentornat[oa]|bem vindo de volta|bienvenue a nouveau",
            r"(?:customer|client|kunden) ?(?:portal|area)|espace client|accesso clienti",
            r"area (?:de |do )?client[ei]|oublie mon code",
            rf"\b(?:update|change) (?:{_MY} )?e? ?mail(?: address)?",
            r"cookie ?(?:consent|setting|preference|choice|request|einstellung)\w*",
            r"california privacy request",
            rf"{_PERSONAL} (?:\w+ )?(?:request|delet|eras|removal|l(?:o|oe)sch)\w*",
            (
                rf"\b(?:delet|eras|l(?:o|oe)sch|auskunft|suppr|elimin|exclu|cancell)\w*"
                rf" (?:\w{{1,3}} )?(?:{_MY} )?(?:person\w+ )?{_PERSONAL}"
            ),
            r"(?:privacy|gdpr|rgpd) (?:request|choice|preference|setting|cent)\w*",
            r"(?:demande|solicitud|richiesta|pedido) (?:rgpd|gdpr|lgpd)",
            r"daten(?:schutz)? ?(?:auskunft|anfrage)|auskunft (?:anford|beantrag|verlang)\w*",
            r"preference cent\w*|(?:benachrichtig|mitteil)ungen (?:verwalten|andern)",
            (
                rf"\b{_ASK_FOR} (?:a copy of |l acces )?(?:[aio] |ai |aos |aux )?{_MY} (?:own )?"
                r"(?:personal (?:data|information)|data|donnees|datos|dados|dati)"
            ),
            r"acces (?:a|aux) (?:mes |vos )?donnees",
            rf"\b(?:{_DO}(?: {_ARTICLE})? {_POSSESSION}|{_FIND}(?: {_ARTICLE})? {_PURCHASE})\b",
            rf"\b{_POSSESSION} (?:jetzt |online )?{_DO_GERMAN}",
            rf"\b{_PURCHASE} (?:(?:ab|auf)ruf\w+|ansehen|such\w+|finden)",
            r"\b(?:vertrag|newsletter) (?:jetzt )?kundig\w+",
            rf"\b{_RETURN}(?: {_ARTICLE})? {_PRODUCT}\b",
            rf"\b{_START} (?:{_MY} |{_ARTICLE} )?(?:return|retour|devolucion|devolucao|reso)\b",
            r"returns? (?:portal|cent(?:er|re))|track (?:and )?trace|kundigungs(?:button|formular)",
            r"(?:baixar )?segunda via(?: da fatura)?",
            r"(?:online|web) check ?in|check ?in online",
            rf"\b{_MINE} (?:{_PURCHASE}(?:s|e?n|es)|ordini)\b",
            rf"{_MINE} prenotazioni|(?:order|bestell) ?(?:history|historie)",
            (
                r"(?:historique|historial|historico|storico) (?:(?:de|des|degli) )?"
                r"(?:commandes|pedidos|ordini)"
            ),
            (
                rf"(?:suppression|eliminacion|exclusao|cancellazione|cierre|encerramento|cloture)"
                rf" (?:d\w* |del? )?(?:{_MY} )?{_CONTRACT}"
            ),
            r"(?:account|konto) ?(?:deletion|removal|loschung)",
            (
                rf"(?:check|consult\w+|verif\w+|controlla) (?:{_MY} |{_ARTICLE} )?"
                r"(?:\w+ )?(?:card )?(?:balance|solde|saldo)"
            ),
            r"auskunftsersuchen|loschantrag|betroffenenrechte|derecho (?:al olvido|de supresion)",
            r"droit (?:d acces|a l (?:oubli|effacement))|diritto (?:all oblio|di accesso)",
            r"(?:withdraw|retirer|retirar|revoc\w+|revog\w+) (?:\w+ )?consent\w*",
            r"(?:retoure|rucksendung)(?:n? (?:anmelden|starten|anlegen))?",
            r"(?:artikel|ware) zurucksenden|devolucao",
            r"(?:solicitar |solicitud de )?devolucion",
            rf"{_ORDER} ?(?:look ?up|search|suche)",
            (
                r"(?:suivi|seguimiento|rastre\w+|tracciamento|tracking) (?:d[eoai] |d |dell? )?"
                rf"(?:{_MY} |votre )?(?:{_ORDER}|package|livraison|entrega|consegna)s?"
                rf"|{_ORDER}s? ?(?:tracking|status|verfolg\w*)"
            ),
            (
                r"(?:estado|etat|stato|statut) (?:de |del? |do |da |dell? |della )?"
                rf"(?:{_MY} )?{_ORDER}"
            ),
            r"(?:auftrags|liefer|versand|reparatur|antrags|bewerbungs) ?status",
            r"(?:claim|ticket|refund|repair|application|delivery|shipping) status",
            r"gift ?card balance|(?:solde|saldo) .{0,9}(?:carte|tarjeta|cartao|carta)[\w ]*",
            r"guthaben .{0,30}(?:prufen|abfragen)",
            r"\bmy account|account (?:setting|detail)s?|mein konto|mi cuenta",
            r"mon compte|minha conta|mio account",
        ]
    )
)
# Words beside these that say nothing else.
_SMALL_TEXT = """
here now please page form link email e mail mails emails address newsletter newsletters list
mailing from to us and of with by via for online our this all you i me can in on at s t we if
want would like request requests enter number no not or more it is do customer account hier
jetzt bitte von vom zum zur und mit per aus sich ich mochte ihr ihrer ihrem ihren konto seite
formular geschenkkarte anfordern anfrage auf keine je mon mes et par pour ici sur du des au d l
y por para aqui con en mis mi tu tus su mas com na em da meu minha qui al alla di del della dei
il lo la gli le un una el los las de a o os as an the my your mein meine dein deine die der das
den votre vos hai ha has tem recibir recevoir receber ricevere correos correo cadeau adresse
cuenta conta users user auth check view get submit send envoyer enviar invia senden demande gift
card www html php status compte client antrag solicitud solicitacao richiesta demand prufen
abfragen anzeigen suscripcion boletin personal personenbezogenen confirmar bestatigen
"""
SMALL_WORDS = frozenset(_SMALL_TEXT.split())
# Somebody new is told this of the same things: `Order tracking for shops`, `Unsubscribe any time`.
_CUSTOMERS = (
    r"(?:shop|store|team|develop|entwickl|market|merchant|seller|restaurant|bank|airline|people"
    r"|busines|compan|customer|client|user|retail|brand|hotel|enterprise|school"
    r"|employee|startup|agenc|unternehm|handler|haendler|firm|kund|mitarbeit|boutique|entreprise"
    r"|equipe|tienda|negoci|negozi|loja|empresa|aziend|impres|e ?commer|online|saas|startup)"
)
OFFER = re.compile(
    "|".join(
        [
            r"\b(?:demo|quote|trial|talk to|contact sales|angebot|devis|presupuesto|cotiza\w*)\b",
            r"\b(?:orcamento|preventivo|get started|sign up|switch|guest|anxiety|journey)\b",
            r"software|platt?aform|platt?form|piattaform|management|losung|loesung|passwordless",
            r"\b(?:apps?|apis?|tools?|toolkit|plugin|solutions?|managers?|logiciel|outils?)\b",
            r"\b(?:herramienta|solucion|strumento|soluzion|ferramenta|solucao|gestionale|gestao)",
            r"\b(?:how to|guides?|e ?books?|white ?paper|reports?|benchmarks?|checklist)\b",
            r"\b(?:templates?|webinar\w*|master ?class|workshop|podcast|courses?|playbook|tips)\b",
            r"\b(?:best practices|patterns|rates|audit|strategy|compliance|policy|analysis)\b",
            r"leitfaden|ratgeber|checkliste|vorlage|\bstudie|\btipps\b|seminar|\bkurse?\b",
            r"livre blanc|\bmodele|webinaire|\bguias?\b|plantilla|\bcursos?\b|\bguida\b|\bcorso\b",
            r"wait(?:ing )?list|early access|warteliste|liste d attente|lista (?:de espera|d att)",
            r"\bcall ?back|r(?:u|ue)ckruf|in action|in one place|made (?:simple|easy)",
            r"(?:leicht|einfach) gemacht|(?:one|1) click|(?:un|1) cli[ck]|einem klick",
            r"\b(?:never|again|every|services|hacked)\b|nie wieder|nunca|plus jamais|mai piu",
            r"automat|rechtssicher|for good\b",
            r"\bany ?time\b|whenever|jederzeit|tout moment|cuando quieras|cualquier momento",
            r"quando (?:vuoi|quiser)|qualsiasi momento|qualquer momento|anywhere|product info",
            r"\b(?:ohne|sans|sin|sem|senza|without) (?:passw|kennw|mot|contras|senha)",
            r"\b(?:discover|learn|free|why|reduce|boost|increase|grow|faster|better|smart(?:er)?)\b",
            r"\b(?:future|ultimate|experts?|consult(?:ing|ation|ants?)|agency|pricing|insights?)\b",
            r"\b(?:survey|win|improve|that|which|vs|examples?|best|introducing|at scale|join)\b",
            r"\b(?:by \d+|case stud(?:y|ies)|comparati\w+|compared|vergleich\w*|simplif\w+)\b",
            r"entdeck|agentur|umfrage|gewinn|verbesser|beispiel|muster|\bbeste[nrs]?\b|\brabatt",
            r"decouvr|descubr|\bscopri|agence|agencia|\bmejor|miglior|melhor|meilleur|optimi",
            r"exemple|ejemplo|exemplo|\besempi|\bremise|descuento|desconto|\bsconto",
            r"gratuit|gratis|kostenlos|\b\d+ off\b|\b20[2-9]\d\b",
            rf"\b(?:for|fur|fuer|pour|para|per) (?:\w+ ){{0,3}}{_CUSTOMERS}",
            (
                r"\b(?:your|ihre?|votre|vos|sus?|seus?|suas?|tuoi|tuo)"
                r" (?:customers|clients?|users|teams?|business\b(?! account)|kunden)"
            ),
        ]
    )
)
# What only somebody new is asked to do.
NEW_PEOPLE = re.compile(
    r"\b(?:demo|quote|trial|contact|newsletter|subscri|sign (?:me )?up|regist|get started|download"
    r"|apply|call ?back|create|join|notify me|get (?:the|access)|claim (?:your |the |my )?offer"
    r"|guest|checkout|place order|(?:continue|proceed) to (?:payment|shipping)|save my seat"
    r"|wait ?list|early access|talk to|angebot|kontakt|abonni|anfrag|ruckruf|rueckruf|devis"
    r"|buy|donate|book (?:a|now|your)|open an? |unlock|save my"
    r"|learn more|get (?:\d+|my (?:free|rate))"
    r"|jetzt (?:testen|buchen|kaufen|bestellen|starten|sichern)|beratung|platz sichern|eintragen"
    r"|termin (?:buchen|vereinbaren)|teilnehm|reserver|essay|prendre rendez|decouvr|particip|quiero"
    r"|quero|comprar|pedir cita|prenota\b|scopri|partecip|ouvrir|abrir|apri\b"
    r"|s inscri|presupuesto|suscri|cotiz|orcamento|assin|preventivo|iscri|contat)"
)
# A folder in which things are sold or explained.
SALES_FOLDER = re.compile(
    r"blogs?|articles?|magazine?|guides?|guias?|ratgeber|resources?|ressourcen"
    r"|ressources|recursos|risorse|solutions?|loesungen|soluciones|solucoes|soluzioni|products?"
    r"|produkte?|produits?|productos|produtos|prodotti|features?|funktionen|fonctionnalites"
    r"|funcionalidades|funcionalidad|funzionalita|use cases?|integrations?|templates?|tools"
    r"|pricing|preise|tarifs|precios|precos|prezzi|webinars?|webinare|events?|veranstaltungen"
    r""
    r"|evenements|eventos|eventi|workshops?|seminare?|kurse?|courses?|cursos?|corsi|academy|academia"
    r"|akademie|white ?papers?|e ?books?|case stud(?:y|ies)|comparati\w+|compared|vergleich\w*"
    r"|lp|landing|compare|glossary|lexikon"
)
# A page's name that tells a login only on the site's first level: `/webinar/anmelden` is another.
LOGIN_PAGE = re.compile(rf"(?:.* )?(?:anmelden|{_ENTER})(?: .*)?|contrasena|mot de passe|senha")
LANGUAGE = re.compile(r"(?:[a-z]{2}(?: [a-z]{2})?)?")
# Two segments: Rails has `/users/password/new`.
KNOWN_FOLDER = re.compile(
    r"passwords? (?:reset|forgot(?:ten)?|new|edit|lost|recover\w*|change)"
    r"|(?:reset|forgot|lost|recover) password|account recover"
)
# The pages on which scripts say for analytics who is there.
ACCOUNT_PAGE = re.compile(
    r"(?:my |edit )?(?:account|profile|dashboard|settings|billing|orders)"
    r"|(?:mein )?konto|(?:mi )?cuenta|(?:mon )?compte|(?:minha )?conta|(?:mio )?account"
)
