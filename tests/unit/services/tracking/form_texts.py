"""What forms of real pages say in six languages: a button, and the heading above it."""

# Forms that serve people who are known.
TO_KNOWN_PEOPLE = """
Send link > Forgot your login details?
Continue > Forgot PIN
Look up > Retrieve your reservation
Cancel booking
Submit > Change my appointment
Check > Check your gift card balance
Close my account
Submit > Deactivate account
Submit > Take me off your mailing list
Confirm > I no longer want to receive emails
Find > View my order
Log in to your account
Next > Sign in to your account
Submit > Exercise your rights
Get invoice > Download your invoice
Submit > Check claim status
Go > Return an item
Senden > Benutzername vergessen?
Reservierung verwalten
Termin stornieren
Abfragen > Guthaben Ihrer Geschenkkarte prüfen
Account löschen
Retoure anmelden
Weiter > In Ihr Konto einloggen
Absenden > Ich möchte keine E-Mails mehr erhalten
Rechnung anfordern > Meine Rechnung abrufen
Envoyer > Identifiant oublié ?
Gérer ma réservation
Supprimer mon compte
Valider > Ne plus recevoir de newsletters
Connectez-vous
Suivre mon colis
Envoyer > Exercer vos droits
Consulter > Solde de ma carte cadeau
Enviar > Recuperar clave
Modificar mi reserva
Eliminar mi cuenta
Devolver un producto
Enviar > No quiero recibir más correos
Continuar > Inicia sesión en tu cuenta
Buscar > Consulta tu pedido
Invia > Hai perso la password?
Modifica la tua prenotazione
Elimina il mio account
Avvia un reso
Continua > Accedi al tuo account
Invia > Non voglio più ricevere email
Enviar > Esqueceu a palavra-passe?
Gerir a minha reserva
Encerrar conta
Iniciar sessão
Enviar > Deixar de receber e-mails
Consultar > Devolver encomenda
Reset > Reset your password
Recover password > Log in to your store
Email me a recovery link
Send reset email > Forgotten password
Reset Password > Lost your password?
Reset My Password
Email login link
Sign in > Sign in to Ghost
Continue > Unsubscribe from all emails
Update preferences
Unsubscribe me > Email subscription preferences
View order > Guest order lookup
Track > Track your parcel
Search > Orders and Returns
Suchen > DHL Sendungsverfolgung
Sendung suchen > Wo ist mein Paket?
Find booking > Manage your booking
Retrieve booking
Continue > Check in online: find your reservation
Buchung aufrufen > Meine Buchung
Accéder à ma réservation
Ver mi reserva > Mis viajes
Consultar reserva
Minhas viagens > Consultar a minha reserva
Trova la prenotazione
Zugangsdaten zusenden > Benutzername oder Passwort vergessen
Senden > Passwort zurücksetzen - Mein Konto
Enviar > He olvidado mi contraseña
Continuar > ¿No recuerdas tu contraseña?
Valider > Mot de passe oublié ? Pas de panique
Se désinscrire
Me désabonner de la newsletter
Cancelar minha inscrição
Annulla l'iscrizione alla newsletter
Newsletter kündigen
Vertrag jetzt kündigen
Speichern > Cookie-Einstellungen
Submit request > Your privacy choices
Submit > Do Not Sell My Personal Information
Absenden > Antrag auf Löschung meiner Daten
Envoyer > Demande de suppression de données
Enviar > Solicitud de eliminación de datos
Enviar > Solicitação de exclusão de dados
Start return > Returns portal
Weiter > Retoure anlegen
Commencer mon retour
Iniciar devolución
Avvia il reso
Close account > Delete your account
Supprimer > Suppression de compte
Excluir conta
Check balance > Gift card balance
Consultar saldo > Saldo de la tarjeta regalo
Send > Resend my invoice
Descargar factura
Baixar segunda via > Segunda via da fatura
Reset password
Send me a reset link > Can't sign in?
Get New Password
Recover > Reset your password
Passwort ändern
Passwort anfordern > Sie haben Ihr Passwort vergessen?
E-Mail senden > Passwort vergessen
Récupérer > Vous avez oublié votre mot de passe ?
Réinitialiser mot de passe
Envoyer le lien > Mot de passe perdu ?
Restablecer contraseña > ¿Perdiste tu contraseña?
Enviar enlace > Olvidé mi contraseña
Recuperar acceso > ¿Problemas para entrar? Olvidaste tu clave
Reimposta la password
Invia > Password smarrita
Recuperar senha
Enviar link > Perdeu a senha?
Alterar senha
Continue with email > Log in
Weiter > Anmeldelink per E-Mail erhalten
Connexion
Identifiez-vous
Acceder a mi cuenta
Accedi al tuo profilo
Entrar na minha conta
Customer login
Kunden-Login
Track order > Enter your order number and email
Where's my order?
Track & Trace
Suivre un colis
Bestellung suchen
Paketverfolgung
Localizar pedido
Dove si trova il mio pacco?
Acompanhe seu pedido
Cerca ordine > Stato dell'ordine
Order history
Historique de commandes
Manage trip
Change your flight
Online check-in
Gérer mon voyage
Cancelar reserva
Flug umbuchen
Annulla prenotazione
Meine Buchungen
Update my preferences > Stay in control of your emails
Unsubscribe > We're sorry to see you go
Austragen > Newsletter
Désinscription
Cancelar suscripción al boletín
Dessubscrever
Cancellati dalla newsletter
Abmeldung bestätigen
Submit > Data subject access request
Submit request > Delete my personal information
Absenden > Auskunftsersuchen
Envoyer > Droit d'accès
Enviar > Derecho al olvido
Invia > Richiesta di cancellazione dati
Enviar > Exclusão de conta
Mitgliedschaft kündigen
Abo kündigen
Cancel my membership
Télécharger ma facture
Rechnung abrufen
Scarica fattura
Return my order
Devolver pedido
Check my balance
Repair status
Reset my password > Forgot your password? No worries
Send code > Reset PIN
Get a login code
Sign in > Sign in to your workspace
Send magic link
Submit > I forgot my username
Update password > Choose a new password
Recover my account
Find my order > Order status
Track shipment
Look up my booking
Cancel my appointment
Modify reservation
Cancel my subscription
Return my items > Start a return
Unsubscribe > Email preferences
Yes, unsubscribe me
Opt out > Do not sell or share my personal information
Submit > Request a copy of my data
Check > Application status
Resend invoice
Kennwort zurücksetzen
Neues Passwort zusenden
Absenden > Passwort vergessen? Kein Problem
Anmeldecode senden
Einloggen > Mein Konto
Sendung verfolgen
Auftragsstatus prüfen
Reservierung ändern
Termin absagen
Buchung stornieren
Konto löschen
Abo verwalten
Abmelden > Newsletter abbestellen
Newsletter abbestellen > Schade, dass Sie gehen
Senden > Meine Rechte ausüben
Daten löschen
Artikel zurücksenden
Changer le mot de passe
Envoyer > J'ai oublié mon identifiant
Se connecter > Espace client
Suivi de livraison
Annuler ma réservation
Modifier ma commande
Résilier mon abonnement
Me désabonner
Retourner ma commande
Envoyer > Accéder à mes données
Cambiar contraseña
Recuperar mi cuenta
Iniciar sesión > Área de clientes
Rastrear mi envío
Cancelar mi cita
Cerrar cuenta
Darme de baja
Enviar > Solicitud RGPD
Devolver artículo
Cambia password
Invia > Password dimenticata? Nessun problema
Accedi > Area clienti
Traccia il pacco
Modifica prenotazione
Chiudi il mio account
Disiscrivimi
Esercita i tuoi diritti
Nova senha
Fazer login > Área do cliente
Rastrear encomenda
Alterar reserva
Excluir minha conta
Descadastrar-me
Exercer meus direitos
Devolver produto
Send > Keine E-Mails mehr erhalten
Send > PIN vergessen
Send > Olvidé mi clave
Send > Recupera tu clave
Send > Cancel my newsletter subscription
Send > Annuler l'abonnement
Send > Cancelar a assinatura
Send > Track my package
Send > Where is my package?
Send > Vom Newsletter abmelden
Send > Abmelden
Send > Dar de baja mi suscripción
Send > Stop emails
Send > Vertrag kündigen
Send instructions > Forgot your password?
Reset > Lost password
Submit > Recover account
Email me a code > One-time code
Log in > Client area
Sign in with a link
Continue > Trouble signing in?
Search order > Track your order
Track my order
Find reservation
Change booking
Cancel order
Return order
Unsubscribe
Save preferences > Newsletter preferences
Delete account
Submit > Data deletion request
Passwort neu setzen
Absenden > Kennwort vergessen?
Anmelden > Kundenportal
Bestellung verfolgen
Lieferstatus
Bestellung stornieren
Termin verschieben
Rücksendung anmelden
Vom Newsletter abmelden
Envoyer > Mot de passe oublié
Connexion > Mon compte
Suivre ma commande
Modifier ma réservation
Annuler ma commande
Se désabonner
Envoyer > Exercer mes droits
Restablecer > Restablecer contraseña
Entrar > Mi cuenta
Ver mi pedido
Cambiar mi reserva
Cancelar pedido
Cancelar suscripción
Borrar mi cuenta
Invia > Recupera password
Accedi > Il mio account
Traccia ordine
Cambia prenotazione
Annulla ordine
Disiscriviti
Elimina account
Enviar > Esqueci a senha
Entrar > Minha conta
Acompanhar pedido
Alterar minha reserva
Cancelar inscrição
Apagar conta
Send > Forgotten your PIN?
Reset account password
Get link > Sign in by email
Login > Member login
Continue > Can't access your account?
View order status
Find my parcel
Amend booking
Reschedule appointment
Cancel reservation
Unsubscribe now
Update email preferences
Submit > GDPR request
Submit > Erase my data
Close account
Passwort neu vergeben
Absenden > Zugangsdaten vergessen
Paket verfolgen
Buchung ändern
E-Mail-Einstellungen speichern
Datenauskunft anfordern
Meine Bestellungen
Envoyer > Identifiants oubliés
Suivre ma livraison
Déplacer mon rendez-vous
Annuler mon abonnement
Désinscription newsletter
Envoyer > Supprimer mes données
Voir ma facture
Enviar > ¿Has olvidado tu clave?
Rastrear pedido
Cambiar mi vuelo
Anular mi reserva
Darse de baja
Enviar > Eliminar mis datos
Descargar mi factura
Invia > Non ricordi la password?
Segui il tuo ordine
Sposta appuntamento
Disdici abbonamento
Annulla iscrizione
Invia > Cancella i miei dati
Enviar > Não lembra a senha?
Rastrear meu pedido
Cancelar assinatura
Enviar > Excluir meus dados
"""

# Offers, some of them of software for the same things.
TO_NEW_PEOPLE = """
Send > Password security for remote teams
Submit > Reset password tickets cost you millions
Get access > Account recovery best practices
Send > Order tracking app for Shopify
Submit > Return management for retailers
Submit > Booking management made easy
Send me the template > Data deletion policy template
Join free > No spam. Unsubscribe with one click
Save my seat > Email preferences of Gen Z
Send > Manage your bookings, invoices and clients in one place
Submit > Gift card balance API
Sign me up > Opt out whenever you like
Submit > Turn returns into revenue
Claim offer > Close your old account and get $200
Send > Cancel your gym membership? Train with us
Notify me > Track every shipment of your business
Place order > Log in or continue as guest
Continue to shipping > My account
Absenden > Passwort-Manager für Unternehmen
Senden > Retourenmanagement für Händler
Zusenden > Leitfaden: Datenauskunft nach DSGVO
Eintragen > Jederzeit abbestellbar
Senden > Abmeldung jederzeit möglich
Beratung buchen > Buchungen verwalten leicht gemacht
Sichern > Cookie-Einstellungen rechtssicher lösen
Platz sichern > Ihr Kundenportal in 4 Wochen
Envoyer > Logiciel de suivi de commande
Recevoir > Guide : gérer les demandes RGPD
Valider > Désabonnement à tout moment
Être rappelé > Suivi de colis pour e-commerçants
Envoyer > Gérez vos réservations en ligne
Enviar > Software de seguimiento de pedidos
Quiero mi guía > Cómo recuperar clientes sin contraseñas
Unirme > Darse de baja cuando quieras
Entrar > Lista de espera VIP
Acceder > Clase gratuita
Enviar > Gestiona las reservas de tu hotel
Invia > Tracciamento spedizioni per il tuo negozio
Scarica > Guida: gestire i resi
Accedi > Masterclass gratuita
Invia > Disiscriviti quando vuoi
Invia > Il gestionale per le tue prenotazioni
Entrar > Grupo VIP de promoções
Enviar > Plataforma de rastreio de encomendas
Quero receber > Recupere carrinhos perdidos sem senha
Enviar > Gestão de reservas para hotéis
Participar > Cancele a inscrição quando quiser
Start free trial > The all-in-one commerce platform
Continue > Order tracking that customers love
Submit > Branded tracking pages for ecommerce
Send > Reduce returns. Keep revenue.
Get started > Manage subscriptions and recurring billing
Contact sales > Passwordless authentication
Send > Magic links and passkeys for developers
Talk to an expert > Consent management platform
Book demo > Privacy request automation
Subscribe > Unsubscribe at any time. Read our privacy policy.
Sign up for free > Already have an account? Log in
Create account > Log in or sign up
Send message > Questions about your order?
Send message > Customer service
Submit > Returns & refunds: contact us
Notify me > Join the list
Get 10% off > Welcome back! Here is 10% off
Unlock offer > Don't leave your order behind
Email me > Save my cart
Reserve > Book your appointment
Find an appointment
Check availability > Make a reservation
Get my rate > Open an account
Apply > Open a savings account
Check eligibility > Change your mortgage
Get quote > Ship your parcel
Calculate > Send a package abroad
Submit > Become a DHL business customer
Termin buchen > Ihr Termin bei uns
Termin finden
Konto eröffnen > Girokonto in 8 Minuten
Absenden > Versand & Tracking für Onlinehändler
Jetzt anfordern > Passwort-Sicherheit: das Whitepaper
Absenden > Fragen zu Ihrer Bestellung?
Weiter > Paket versenden
Zusenden > DSGVO-Checkliste
Anmelden > Zum Kurs
Senden > Meine Daten
Demander une démo > Suivi de commande
Envoyer > Une question sur votre commande ?
Prendre rendez-vous
Ouvrir un compte
Réserver > Votre réservation
Je m'inscris > Désinscription possible à tout moment
Recevoir le guide > RGPD : droits des personnes
Pedir cita > Reserva tu cita
Abrir cuenta
Enviar > ¿Dudas sobre tu pedido?
Descargar > Ebook: recupera a tus clientes
Quiero acceder > Acceso gratuito al taller
Apri un conto
Prenota > Prenota il tuo appuntamento
Invia > Domande sul tuo ordine?
Scarica ora > Resi e rimborsi: la guida
Abrir conta > Abra sua conta
Agendar consulta
Enviar > Dúvidas sobre seu pedido?
Baixar agora > E-book: LGPD na prática
Entrar > Comunidade de mães
Send > Your data deserves better
Submit > Change the world with us
Send > New arrivals
Submit > Never lose a password again
Submit > One place for every password
Get the app > Track your parcels
Try it free > Returns made painless
Send > Cut 'Where is my order' tickets by 60%
Send > Reset: the 21-day course
Get it > Change your password habits: our free guide
Join > No spam, unsubscribe whenever
Keep me posted > We respect your inbox. Opt out any time
Subscribe > Get our news. You may withdraw consent at any time
Send > Why customers cancel subscriptions
Submit > Reduce cancelled subscriptions
Contact us > Your order, our priority
Place order > Your order
Continue > Delivery
Next > Your booking
Confirm booking > My booking
Pay now > My order
Book now > Find your flight
Search flights > Find a trip
Request booking > Check availability
Reserve a table
Send > Account-based marketing audit
Open account > Business account
Send > Data access governance
Submit > Data deletion at scale
Talk to us > Consent, preferences and privacy in one suite
Weiter > Meine Bestellung
Zahlungspflichtig bestellen > Ihre Bestellung
Flug suchen
Senden > Rückgabe leicht gemacht
Absenden > Kündigungen vermeiden: Strategie
Jetzt sichern > Newsletter. Abmeldung jederzeit
Senden > Bestellungen schneller bearbeiten
Anfragen > Rechnungen automatisch verwalten
Senden > Terminbuchung für Praxen
Mitglied werden > Mitgliedschaft
Absenden > Neues Konto eröffnen
Senden > Reklamation und Service
Valider ma commande > Ma commande
Envoyer > Automatisez le suivi de vos commandes
Envoyer > Abonnement d'essai
Continuer > Ma réservation
Être recontacté > Compte professionnel
Envoyer > Mes coordonnées
Je participe > Jeu concours
Finalizar compra > Tu pedido
Enviar > Automatiza el seguimiento de pedidos
Apuntarme > Sin spam. Baja cuando quieras
Continuar > Mi reserva
Contratar > Abre tu cuenta
Enviar > Reserva tu plaza
Concludi ordine > Il tuo ordine
Invia > Automatizza resi e rimborsi
Richiedi informazioni > Conto aziendale
Continua > La tua prenotazione
Finalizar pedido > Seu pedido
Enviar > Automatize a gestão de devoluções
Entrar > Sorteio
Continuar > Sua reserva
Solicitar > Cartão sem anuidade
Acceder > Descarga el informe
Accedi > Offerta riservata
Submit > Login page inspiration
Send > Sign in sheet template
Send > Password hygiene for families
Submit > Is your password safe?
Get early access > Sign in without friction
Submit > Post-purchase tracking that sells
Send > Bookings on autopilot
Request pricing > Unlimited order tracking
Send > Cancel culture: the talk
Submit > Account opening in minutes
Learn more > Manage subscriptions at any size
Send > We handle your returns
Subscribe > The weekly privacy letter
Sign up > Stay informed. Unsubscribe anytime with one click
Yes, I'm in > You can opt out whenever you want
Submit > Data request? Ask our consultants
Submit > Preferences
Complete booking > Your reservation
Continue to payment > Your details
Pay > Order summary
Checkout > Log in or checkout as guest
Submit > Invoice financing
Send enquiry > Delivery and returns
Contact > Log management
Get started > Sign in or sign up
Submit > Search engine marketing
Vote > Track of the year
Absenden > Passwörter sicher im Team teilen
Absenden > Sendungsverfolgung, die Kunden lieben
Infos anfordern > Buchungssystem für Hotels
Jetzt Termin vereinbaren > Ihr Konto, Ihre Bank
Anmelden > Yogakurs am Montag
Anmelden > Zum Newsletter anmelden. Abmeldung jederzeit
Bestellen > Ihre Daten
Absenden > Datenlöschung leicht gemacht
Senden > Rechnungen schreiben ohne Stress
Kostenlos testen > Retouren im Griff
Absenden > Abo bestellen
Envoyer > Le mot de passe est mort
Envoyer > Facturation simplifiée
Essayer > Gérer les réservations de votre restaurant
M'inscrire > Newsletter. Désabonnement en un clic
Payer > Ma commande
Envoyer > Livraison et retours
Demander un devis > Transport de colis
Enviar > Contraseñas seguras para familias
Enviar > Reservas sin complicaciones
Suscribirme > Puedes darte de baja en cualquier momento
Pagar > Mi pedido
Enviar > Envíos y devoluciones
Entrar > Sorteo de verano
Solicitar > Tarjeta sin comisiones
Hazte socio > Área de socios
Invia > Password sicure in famiglia
Invia > Prenotazioni senza commissioni
Iscriviti > Puoi cancellarti quando vuoi
Paga > Il mio ordine
Invia > Spedizioni e resi
Accedi > Webinar gratuito
Apri il conto > Conto online
Enviar > Senhas seguras para a família
Enviar > Reservas sem complicação
Inscrever > Cancele quando quiser
Pagar > Meu pedido
Enviar > Envios e devoluções
Acessar > Aula gratuita
Quero abrir conta > Conta digital
Send > Auto online abmelden
Send > Zeitungen austragen
Send > Cancelled flight?
Send > Flug storniert?
Send > Find your package
Send > Check your refund
Send > Never forget a password again
Send > Remember every password
Send > La clave del cambio
Send > Cancel unwanted subscriptions
Send > Stop emails going to spam
Send > Account recovery services
Send > Verify email addresses in bulk
Send > Data subject requests handled for you
Send > Kündigung erhalten?
Send > Baja de autónomos
Send > New pin collection
Send > Manage bookings
Send > Leave your to-do list behind
Send > Find your flight
Send > Termin finden
Send > Flug suchen
Send > Cita previa
Send > Change your password manager
Send > Password vault for teams
Submit > Order management system
Get a demo > Customer portal in a day
Start now > Bookings made easy
Send > Subscription analytics
Submit > Tracking pixels explained
Notify me > Price tracking
Send > Data privacy consulting
Sign me up > Weekly tips. Opt out anytime
Join the club > Members' area opens soon
Send > Account manager wanted
Request > Return on ad spend calculator
Buy now > Gift card
Send > Invoice factoring
Absenden > Passwortmanager im Vergleich
Jetzt anfragen > Terminbuchung leicht gemacht
Absenden > Buchung anfragen
Senden > Kontakt zur Buchhaltung
Eintragen > Newsletter: jederzeit kündbar
Senden > Kündigungsschutzklage prüfen
Weiter > Lieferung
Los > Paketpreise berechnen
Absenden > Cookie-Banner prüfen
Envoyer > Gestion des réservations
Recevoir > Suivi de colis : le comparatif
Valider > Livraison
Envoyer > Ouvrir un compte pro
Je m'abonne > Sans engagement, résiliable à tout moment
Envoyer > Assurance annulation
Enviar > Gestión de pedidos
Recibir > Rastreo de flotas
Enviar > Reserva de hotel
Abrir > Cuenta empresas
Me apunto > Cancela cuando quieras
Acceder > Curso gratis
Invia > Gestione ordini
Ricevi > Tracciamento flotte
Invia > Prenotazione tavolo
Accedi > Lista d'attesa
Iscrivimi > Niente spam, ti cancelli quando vuoi
Enviar > Gestão de pedidos
Receber > Rastreamento veicular
Enviar > Reserva de mesa
Entrar > Lista de espera
Assinar > Cancele a qualquer momento
Abrir > Conta PJ
Send > Single sign-on for schools
Submit > Order fulfilment partner
Try > Parcel insurance
Send > Booking engine for hotels
Submit > Customer accounts payable automation
Send > Appointments available now
Join > Leave any time
Send > Access control systems
Submit > Data recovery specialists
Send > Profile of the month
Get the list > Mailing list
Send > Track days 2026
Submit > Card balance transfer offers
Absenden > Passwörter: was Firmen wissen müssen
Senden > Versandpartner gesucht
Anfragen > Ferienwohnung buchen
Absenden > Konto für Gründer
Senden > Termin anfragen
Jetzt beraten lassen > Vertrag prüfen
Absenden > Datenschutz-Schulung
Eintragen > Abmelden geht immer
Senden > Rechnung stellen war nie so leicht
Envoyer > Sécurité des mots de passe
Envoyer > Commande groupée
Réserver > Rendez-vous en ligne
Je m'inscris > Désabonnement en 1 clic
Envoyer > Compte épargne
Envoyer > Protection des données : audit
Envoyer > Livraison express
Enviar > Seguridad de contraseñas
Enviar > Pedido mayorista
Reservar > Cita gratuita
Suscribirse > Te das de baja cuando quieras
Enviar > Cuenta de ahorro
Enviar > Protección de datos para pymes
Entrar > Club de lectura
Invia > Sicurezza delle password
Invia > Ordine all'ingrosso
Prenota > Appuntamento gratuito
Iscriviti > Ti disiscrivi quando vuoi
Invia > Conto deposito
Accedi > Prova gratuita
Enviar > Segurança de senhas
Enviar > Pedido por atacado
Agendar > Consulta gratuita
Assinar > Descadastre-se quando quiser
Enviar > Conta poupança
Acessar > Teste grátis
"""

# Pages that serve an account.
PAGES_OF_ACCOUNTS = """
account/delete-account manage-booking buchung-verwalten retoure gerer-ma-reservation
recuperar-palavra-passe gift-card-balance kundenportal customer/account/forgotpassword
my-account/lost-password sales/guest/form/order-status suivre-mon-colis seguimiento-pedido
rastrear-pedido traccia-ordine password/reset unsubscribe/confirm cancel-booking forgot-username
my-orders passwort-zuruecksetzen annuler-reservation restablecer-contrasena data-subject-request
account/unsubscribe customer/login reset-password manage-subscription sendungsverfolgung
mot-de-passe-oublie eliminar-cuenta area-clienti minha-conta/esqueci-senha
"""

# Pages that offer something.
PAGES_OF_OFFERS = """
blog/how-to-unsubscribe features/order-tracking ressourcen/datenauskunft-leitfaden
produkte/sendungsverfolgung fonctionnalites/suivi-de-commande soluciones/seguimiento-de-pedidos
events/login-summit whitepaper/cookie-consent use-cases/data-subject-requests workshop/anmelden
integrations/magic-link pricing/order-status blog/2026/forgot-password-emails
product/track-and-trace magazin/paketverfolgung en/solutions/returns-management formation/entrar
academy/sign-in order-tracking-software gdpr-compliance refer-a-friend returns-policy
insights/password-trends customers/track-my-order-case-study newsletter checkout/order
book-appointment curso/acceder academia/login lead-tracking kundenservice/kontakt
blog/gdpr-requests features/returns-portal guides/reset-password-email webinare/datenloeschung
ressources/suivi-de-colis productos/gestion-de-reservas corsi/accedi loja/produto kuendigung
blog/track-your-order solutions/login produkte/kundenportal guides/delete-account reserva booking
returns angebot/termin resources/password-guide webinars/gdpr-request precios/seguimiento
account-based-marketing terminbuchung commande-groupee
"""
