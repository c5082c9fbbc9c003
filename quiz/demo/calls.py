"""Two calls of one learner with the same client, six days apart. Written for the demo; nobody ever said this."""

from __future__ import annotations

LEARNER, CLIENT = "Petr Hrabal", "Marta Hollins"
WORDS_PER_S, PAUSE_S = 2.6, 0.7  # 156 words a minute: an unhurried talk
Line = tuple[str, str]

# Talks most of the time, asks what yes answers, takes no for an answer, ends without a day.
FIRST: tuple[Line, ...] = (
    (CLIENT, "Hollins."),
    (
        LEARNER,
        "Hello, this is Petr Hrabal, I'm calling about the hall extension in Brno. We got your documents last week and "
        "we are working on the price of the steelwork now, and I have to say it's a nice project, we did something "
        "very similar in Olomouc two years ago, a logistics hall with almost the same span, so we know this kind of "
        "structure well and I think we can make you a good price, we have our own welding shop and our own crane.",
    ),
    (CLIENT, "That's good to hear. What can I do for you?"),
    (
        LEARNER,
        "So, we went through everything and in general it looks fine, but there are some things in the documents that "
        "are not completely clear, you know how it is, drawings are never complete. Is everything in the documents "
        "up to date?",
    ),
    (CLIENT, "Yes, it should be."),
    (
        LEARNER,
        "Good, good. Because sometimes we get drawings and then there is a newer revision that nobody sent us, that "
        "happened to us in Olomouc, and then we had to change all the connections and of course nobody wanted to pay "
        "for it. And the welds, they are all as in the drawings, yes?",
    ),
    (CLIENT, "As in the drawings and the specification, yes."),
    (
        LEARNER,
        "Okay. There is one connection without a size, but we will take what we usually take there, six millimetres, "
        "that should be enough for it. And the testing of the welds, that's in the price?",
    ),
    (CLIENT, "I'd rather not say anything about the testing today. That isn't decided."),
    (
        LEARNER,
        "Okay, but we have to put something there. Normally the client pays for it, at least with us it's always like "
        "that, so we will leave it out and write it in the bid. Is that okay?",
    ),
    (CLIENT, "You can write what you like in your bid. I can't promise you anything."),
    (LEARNER, "Sure. So we'll leave it out. I think that was all from my side. Do you need anything from us?"),
    (CLIENT, "Just the bid on time."),
    (LEARNER, "Of course. Thank you very much, and have a nice day."),
    (CLIENT, "Goodbye."),
)

# Short questions by place, says what hangs on the answer, gets a day for what is open, repeats it back.
SECOND: tuple[Line, ...] = (
    (CLIENT, "Hollins."),
    (
        LEARNER,
        "Good morning, Petr Hrabal from Rozpočty Olšina. I have four questions about the steelwork of the hall, ten "
        "minutes. Is now a good time?",
    ),
    (CLIENT, "Ten minutes I have. Go ahead."),
    (
        LEARNER,
        "First the code. Section 3.2 of the specification asks for the current edition of the welding code, and the "
        "title block of drawing S-104 names the one before. Which of the two do you want us to price?",
    ),
    (
        CLIENT,
        "Oh. The current one. The title block must have come over from the last project. Nobody has told me that, "
        "thank you.",
    ),
    (LEARNER, "Then the preheat for the thick plates goes up with it. What else was taken over from that project?"),
    (
        CLIENT,
        "Good question. The general notes, I think, the ones on S-101. I would have to look. The connections are new, "
        "those we did for this hall.",
    ),
    (
        LEARNER,
        "Good, I'll take the connections as they are, then. The second one is about them: detail 7 on S-112, the "
        "haunch at axis C, has no weld sizes. Where do I find them?",
    ),
    (
        CLIENT,
        "At axis C, wait. No, you're right, they're not there. It was changed in September and the sizes got lost. I'd "
        "say eight millimetres, but I have to ask the colleague who calculated it.",
    ),
    (
        LEARNER,
        "There are forty of these haunches. At eight millimetres that's about two days of welding, at twelve nearly "
        "five, and at twelve we'd have to test more of them. When could your colleague tell you?",
    ),
    (CLIENT, "He's back on Wednesday. Wednesday afternoon you'd have it."),
    (LEARNER, "That's early enough. Third, the testing of the welds. How do you want it to be priced?"),
    (CLIENT, "To be honest, I'd rather not decide about the testing today. It always ends in a discussion."),
    (LEARNER, "I see. What would you need to be able to decide it?"),
    (
        CLIENT,
        "I don't know what it costs if the fabricator does it, and what it costs if we hire somebody ourselves. If I "
        "had the two numbers side by side I could take them to the owner.",
    ),
    (
        LEARNER,
        "I can give you those. If we test in the shop, nothing waits for it. If somebody of yours comes, it's "
        "independent, and each visit holds us up for half a day. I'd price it as an item of its own, both ways, and "
        "you choose. Who on your side will look at it?",
    ),
    (CLIENT, "That would help a lot, yes. Send it to me, I'll put it before the owner at the meeting on Thursday."),
    (LEARNER, "Thank you. The last one: what should I have asked, and didn't?"),
    (
        CLIENT,
        "Ha. The access from the north, because of the crane. There's a new water main, you can't put more than twenty "
        "tonnes on it. It goes out to everybody in an addendum, tomorrow.",
    ),
    (
        LEARNER,
        "That changes our crane, so I'm glad I asked. Let me sum up: we price the current edition of the code. You "
        "send me the weld sizes of detail 7 by Wednesday. The next step from me: by Tuesday you get the testing priced "
        "both ways, for your meeting on Thursday. And the addendum comes with the limit for the crane. Did I get that "
        "right?",
    ),
    (CLIENT, "Exactly. And I'll check the general notes on S-101 and write to everybody if something is old there."),
    (LEARNER, "Perfect, then I'll put the four points into a mail today, and you just say yes to it. Thank you."),
    (CLIENT, "Agreed. Thank you, that was well prepared. Goodbye."),
)


def as_webvtt(lines: tuple[Line, ...]) -> bytes:
    """With times as if it had been said at an even pace."""
    at, cues = 0.0, ["WEBVTT"]
    for speaker, text in lines:
        end = at + len(text.split()) / WORDS_PER_S
        cues.append(f"{_time(at)} --> {_time(end)}\n<v {speaker}>{text}</v>")
        at = end + PAUSE_S
    return ("\n\n".join(cues) + "\n").encode()


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02d}:{minutes:02d}:{rest:06.3f}"
