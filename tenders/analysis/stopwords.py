"""Words that say nothing of what a notice is about, by language; as `words.stems` sees them: folded, not stemmed.

Short on purpose: the function words, and what every notice of the language says ("tender", "contract"). Of other
languages the words that most notices share are left out, by counting.
"""

from __future__ import annotations

from ..services.wording import folded

_LISTS = {
    "en": """a about above after all also an and any are as at be been before being below between both but by can could
        did do does during each either for from further had has have having he her his how if in including into is it
        its itself may more most must no nor not of off on once only or other our out over own same shall she should
        such than that the their them then there these they this those through to under until up upon was we were what
        when where which while who whom why will with within would you your contract contracts tender tenders
        contractor contractors supplier suppliers council authority provide provided provision required requirement
        requirements service services please via new etc per framework procurement bidders bidder works work""",
    "cs": """a aby ale ani ano az bez bude budou by byl byla bylo byly byt ci clanek co dale dle do ho i ja jak jako je
        jeho jejich jen jeste jiz jsem jsou k kde kdyz ke ktera ktere ktery kteri ktereho ktera kterych ma mezi mimo mit
        musi na nad nam nebo nebo nebude nejsou neni nez nich o od po pod podle pokud pouze prave pri pro proto protoze
        pred s se si sve svych ta tak take tato te tedy ten tento teto ti tim to tohoto tomto tuto ty u v ve vsak vsech
        z za ze verejna verejne zakazka zakazky zakazce smlouva smlouvy zadavatel zadavaci dodavatel plneni predmet
        predmetem soucasti rozsah""",
    "sk": """a aby ale alebo ani ako aj ak bez bol bola bolo boli bude budu by byt co cez do ho i ich ja je jeho jej k
        kde ked ktora ktore ktory ktori ku ma medzi na nad nam nie od po pod podla pokial pre pred pri s sa si so su sú
        svoj ta tak takze tato tento teto tieto to toho tohto tomto tuto ty u v vo vsak z za ze zo verejne obstaravanie
        zakazka zakazky predmet predmetom zmluva zmluvy obstaravatel dodavatel plnenie rozsah""",
    "de": """aber alle allem allen aller alles als also am an auch auf aus bei bis bzw da damit dann das dass daß dem
        den
        denn der des die dies diese diesem diesen dieser dieses durch ein eine einem einen einer eines er es etwa für
        gem gemäß gegen hat haben im in ist ihre ihrer ins kann können mit muss müssen nach nicht noch nur ob oder ohne
        sein seine sich sie sind so soll sollen sowie über um und unter vom von vor war werden wird wie wird wurde zu
        zum
        zur zwischen auftrag auftrags auftraggeber auftragnehmer ausschreibung vergabe leistung leistungen
        vertrag angebot angebote""",
    "pl": """a aby albo ale bez bedzie beda byc byl byla bylo byly co czy dla do gdy i ich ile im innych iz jak jako je
        jego jej jest jesli jeszcze juz kazdy kiedy ktora ktore ktorego ktorej ktory ktorych która lub ma moze na nad
        nie
        niz o od oraz po pod podczas przed przez przy s sa sie są są swoje ta tak także te tego tej ten to tych tym u w
        we wraz wszystkich z za ze zgodnie zostanie zamowienie zamowienia zamawiajacy wykonawca umowa umowy przedmiot
        przedmiotem zakres""",
    "es": """a al algun ante antes asi aun bajo cada como con contra cual cuando de del desde donde durante e el ella
        ellos en entre era es esa ese eso esta estan este esto estos fue ha han hasta hay la las le les lo los mas me mi
        muy ni no nos o otra otro otros para pero por porque que quien se segun ser si sin sobre son su sus tal tambien
        tanto te tiene todo todos tras tu u un una uno unos y ya contrato contratos contratacion licitacion
        adquisicion servicio servicios objeto llamado""",
    "pt": """a ao aos as ate com como da das de dela dele deles depois do dos e ela ele eles em entre era essa esse esta
        este eu foi foram ha isso isto ja lhe mais mas me mesmo meu minha muito na nas nao nem no nos o os ou para pela
        pelas pelo pelos por qual quando que quem se seja sem ser seu seus so sob sobre sua suas tambem te tem um uma
        umas uns contrato contratos contratacao concurso aquisicao prestacao servico servicos fornecimento objeto""",
    "fr": """a afin ai au aucun aussi autre autres aux avec avoir c ce ceci cela celle ces cet cette chaque comme d dans
        de depuis des deux doit donc dont du elle elles en entre est et etait etre eu fait il ils je l la le les leur
        leurs lors lui ma mais me meme mes n ne ni non nos notre nous on ont ou par pas plus pour qu que qui s sa
        sans se
        selon sera ses si son sont sous sur ta tous tout toute toutes un une vers vos vous y marche marches contrat
        prestation prestations travaux objet consultation accord cadre""",
    "it": """a ad agli ai al alla alle allo anche avere c che chi ci come con contro cui d da dagli dai dal dalla dalle
        degli dei del dell della delle dello di dove e ed era essere fra gli ha hanno i il in io l la le lo loro ma mi
        ne negli nei nel nella nelle no noi non o ogni per perche piu presso qual quale quando quanto quella quello
        questa questo se senza si sia sono sopra su sua sue sugli sui sul sulla suo tra tutti un una uno vi appalto
        gara contratto servizio servizi fornitura affidamento oggetto lavori""",
    "ar": """في من على إلى عن مع هذا هذه ذلك تلك التي الذي الذين ما لا لم لن أن إن كان كانت يكون تكون قد كل بعد قبل
        بين عند حتى أو و ثم بل لكن كما أي أيضا غير هو هي هم نحن أنا به بها له لها لهم فيه فيها منها منه عليها عليه
        وذلك حيث خلال وفق وفقا تحت فوق ضد منافسة مناقصة عقد مشروع توريد تأمين خدمات خدمة أعمال لدى""",
}
STOP_WORDS = {language: frozenset(folded(words).split()) for language, words in _LISTS.items()}
