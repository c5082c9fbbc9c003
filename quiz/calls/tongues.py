"""What is needed of the languages that calls are read in: English, German, Spanish, French. Of others less is measured,
and it is said so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .words import phrase_of, wordlist, words_in

Phrases = tuple[tuple[str, ...], ...]
_SAMPLE = 3000  # words
_LEAST = 0.08  # of the words of any talk are among these common ones of its language


def phrases(text: str) -> Phrases:
    """Between bars."""
    return tuple(phrase_of(each) for each in text.split("|"))


@dataclass(frozen=True, slots=True)
class Tongue:
    """`common`: tells it apart. `asking`: words that questions begin with to which yes is no answer; `leading`: what
    may stand before them. `fillers`: hesitations only: words that mean something are none ("like", "well")."""

    code: str
    name: str
    common: frozenset[str]
    asking: frozenset[str]
    leading: frozenset[str]
    fillers: frozenset[str]
    greetings: Phrases
    summaries: Phrases
    steps: Phrases
    times: Phrases
    assents: Phrases


ENGLISH = Tongue(
    code="en",
    name="English",
    common=wordlist(
        "the of and to is you that it for was are this with have be at we i not what your can do my will would "
        "they on so if just"
    ),
    asking=wordlist("what why how which who whom whose where when what's how's who's where's when's"),
    leading=wordlist(
        "and but so ok okay well then now right alright also or just yes yeah sure great thanks to in for at"
    ),
    fillers=wordlist("um umm ummm uhm uh uhh uhhh er erm ehm"),
    greetings=phrases(
        "hello|hi|hey|good morning|good afternoon|good evening|good day|welcome|nice to meet you|"
        "thank you for calling|thanks for calling|thank you for taking|thanks for taking"
    ),
    summaries=phrases(
        "to sum up|to summarise|to summarize|in summary|let me summarise|let me summarize|let me sum up|"
        "summing up|to recap|let me recap|just to recap|quick recap|so we agreed|so we have agreed|we've agreed|"
        "what we agreed|let me repeat|just to confirm|to confirm what|so to confirm|let me confirm"
    ),
    steps=phrases(
        "next step|next steps|give you a call|call you back|be in touch|reach out to you|contact you|follow up|"
        "following up|i'll send|i will send|we'll send|we will send|i'll call|i will call|we'll call|"
        "we will call|i'll email|i will email|i'll get back|i will get back|we'll get back|i'll come back to you|"
        "i will come back to you|we'll come back to you|get back to you|shall we meet|let's meet|let us meet|"
        "let's schedule|set up a meeting|set up a call|arrange a meeting|arrange a call|schedule a call|"
        "schedule a meeting|book a meeting|i'll prepare|i will prepare|we'll prepare|i'll put|i will put|"
        "talk again|speak again|i'll let you know|i will let you know|please send|could you send|can you send|"
        "send you|send me"
    ),
    times=phrases(
        "today|tonight|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday|this week|next week|"
        "this month|next month|this afternoon|this morning|end of the week|end of the day|end of the month|"
        "end of week|end of day|january|february|april|june|july|august|september|october|november|december|"
        "o'clock|noon"
    ),
    assents=phrases(
        "yes|yeah|yep|yup|sure|ok|okay|great|perfect|fine|agreed|deal|good|absolutely|certainly|of course|"
        "sounds good|that works|works for me|thank you|thanks|please do|will do|excellent|wonderful|lovely|"
        "alright|all right|right"
    ),
)
GERMAN = Tongue(
    code="de",
    name="German",
    common=wordlist(
        "der die das und ist ich sie wir nicht es ein eine zu den mit auf fur auch dass im dem haben wie noch "
        "bei von ihnen"
    ),
    asking=wordlist(
        "was warum wieso weshalb wie welche welcher welches welchen welchem wer wen wem wo wann woran wofür "
        "wohin worauf womit"
    ),
    leading=wordlist("und aber also ok okay gut ja dann nun so oder genau danke bis an in für mit von ab zu"),
    fillers=wordlist("äh ähm ähh ähhm öh öhm ehm"),
    greetings=phrases(
        "hallo|guten tag|guten morgen|guten abend|grüß gott|moin|servus|grüezi|willkommen|schön sie zu|"
        "vielen dank für ihren anruf|danke für ihren anruf|danke dass sie"
    ),
    summaries=phrases(
        "zusammenfassend|zusammengefasst|ich fasse zusammen|lassen sie mich zusammenfassen|fasse kurz zusammen|"
        "noch einmal zusammen|nochmal zusammen|wir haben vereinbart|wir haben also vereinbart|halten wir fest|"
        "ich wiederhole|darf ich zusammenfassen|zur zusammenfassung"
    ),
    steps=phrases(
        "nächster schritt|nächste schritt|nächsten schritt|nächste schritte|ich schicke|ich sende|wir schicken|"
        "wir senden|schicke ich|sende ich|schicken wir|senden wir|ich rufe|rufe ich|ich melde mich|"
        "melde ich mich|wir melden uns|melden wir uns|treffen wir uns|termin vereinbaren|einen termin|"
        "machen wir einen termin|ich bereite|zurückrufen|lasse ihnen zukommen|schicken sie|senden sie mir"
    ),
    times=phrases(
        "heute|morgen|übermorgen|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|diese woche|"
        "nächste woche|nächster woche|diesen monat|nächsten monat|ende der woche|ende des monats|januar|februar|"
        "märz|april|mai|juni|juli|august|september|oktober|november|dezember|uhr"
    ),
    assents=phrases(
        "ja|gerne|gern|gut|okay|ok|einverstanden|alles klar|perfekt|super|in ordnung|passt|das passt|machen wir|"
        "genau|danke|vielen dank|sehr gut|natürlich|selbstverständlich|abgemacht"
    ),
)
SPANISH = Tongue(
    code="es",
    name="Spanish",
    common=wordlist(
        "el la los las que de y en un una es por para con no se lo su como pero muy si le usted me está más"
    ),
    asking=wordlist("qué por cómo cuál cuáles quién quiénes dónde cuándo cuánto cuánta cuántos cuántas"),
    leading=wordlist("y pero entonces bueno vale ok pues o ah sí claro de a en con para hasta desde"),
    fillers=wordlist("eh ehh em emm ehm"),
    greetings=phrases(
        "hola|buenos días|buenas tardes|buenas noches|buenas|bienvenido|bienvenida|gracias por llamar|encantado|"
        "encantada"
    ),
    summaries=phrases(
        "en resumen|para resumir|resumiendo|déjeme resumir|permítame resumir|resumo|recapitulando|recapitulemos|"
        "hemos acordado|hemos quedado en|quedamos en|entonces quedamos"
    ),
    steps=phrases(
        "próximo paso|próximos pasos|siguiente paso|siguientes pasos|le envío|le enviaré|le mando|le mandaré|"
        "les envío|les enviaré|le llamo|le llamaré|la llamo|la llamaré|nos vemos|quedamos|me pongo en contacto|"
        "concertar una reunión|programar una reunión|agendar|le confirmo|le confirmaré"
    ),
    times=phrases(
        "hoy|mañana|pasado mañana|lunes|martes|miércoles|jueves|viernes|sábado|domingo|esta semana|"
        "la semana que viene|próxima semana|este mes|próximo mes|enero|febrero|marzo|abril|mayo|junio|julio|"
        "agosto|septiembre|octubre|noviembre|diciembre"
    ),
    assents=phrases(
        "sí|vale|de acuerdo|perfecto|muy bien|claro|claro que sí|por supuesto|estupendo|gracias|bien|genial|ok|hecho"
    ),
)
FRENCH = Tongue(
    code="fr",
    name="French",
    common=wordlist(
        "le la les des et est que vous je nous pas une un pour dans ce qui il sur avec au du c'est ne on mais votre"
    ),
    asking=wordlist(
        "que quoi quel quelle quels quelles qui pourquoi comment où quand combien qu'est qu'est-ce lequel laquelle"
    ),
    leading=wordlist("et mais alors donc bon ok ou oui ah d'accord bien à de en pour avec jusqu'à depuis"),
    fillers=wordlist("euh euhh heu"),
    greetings=phrases("bonjour|bonsoir|salut|bienvenue|enchanté|enchantée|merci de votre appel|merci d'avoir appelé"),
    summaries=phrases(
        "en résumé|pour résumer|je résume|résumons|si je résume|récapitulons|pour récapituler|je récapitule|"
        "nous avons convenu|on a convenu|nous sommes d'accord"
    ),
    steps=phrases(
        "prochaine étape|prochaines étapes|étape suivante|je vous envoie|je vous enverrai|nous vous enverrons|"
        "je vous rappelle|je vous rappellerai|je reviens vers vous|je reviendrai vers vous|"
        "nous reviendrons vers vous|prenons rendez|fixons un rendez|fixer un rendez|rendez vous|on se voit|"
        "je prépare|je vous confirme"
    ),
    times=phrases(
        "aujourd'hui|demain|après demain|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|cette semaine|"
        "la semaine prochaine|semaine prochaine|ce mois|le mois prochain|mois prochain|janvier|février|mars|"
        "avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
    ),
    assents=phrases(
        "oui|d'accord|très bien|parfait|entendu|bien sûr|ça marche|ok|merci|bien|volontiers|absolument|super|c'est noté"
    ),
)
TONGUES = (ENGLISH, GERMAN, SPANISH, FRENCH)
NAMES = ", ".join(tongue.name for tongue in TONGUES)


def tongue_of(texts: Iterable[str]) -> Tongue | None:
    """None: too little to tell, or another language."""
    words: list[str] = []
    for text in texts:
        words += (word.folded for word in words_in(text[:5000]))
        if len(words) > _SAMPLE:
            break
    counts = Counter(words)
    hits = {tongue.code: sum(counts[word] for word in tongue.common) for tongue in TONGUES}
    best = max(TONGUES, key=lambda tongue: hits[tongue.code])
    return best if hits[best.code] >= max(2.0, _LEAST * len(words)) else None
