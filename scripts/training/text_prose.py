"""Prose-like text: short scenes of two persons, a place and a thing that recur, in sentences that agree.

A structure is the row of sentence frames with the tense and with who acts in each; words are not part of it.
"""

WOMEN = (
    "Anna",
    "Clara",
    "Maria",
    "Helen",
    "Judith",
    "Miriam",
    "Sofia",
    "Vera",
    "Agnes",
    "Johanna",
    "Emma",
    "Lucy",
    "Martha",
    "Irene",
    "Paula",
    "Rosa",
)
MEN = (
    "Peter",
    "David",
    "Martin",
    "Simon",
    "Thomas",
    "Victor",
    "Andrew",
    "Oliver",
    "Samuel",
    "Edgar",
    "Henry",
    "Jacob",
    "Robert",
    "Felix",
    "Conrad",
    "Leo",
)
PLACES = (
    "garden",
    "harbour",
    "library",
    "kitchen",
    "market",
    "station",
    "forest",
    "village",
    "workshop",
    "church",
    "castle",
    "valley",
    "school",
    "meadow",
    "cellar",
    "theatre",
    "mill",
    "tower",
    "hospital",
    "island",
)
THINGS = (
    "letter",
    "lantern",
    "basket",
    "violin",
    "key",
    "map",
    "clock",
    "painting",
    "bottle",
    "umbrella",
    "notebook",
    "mirror",
    "ring",
    "ladder",
    "blanket",
    "candle",
    "coat",
    "knife",
    "telescope",
    "bell",
    "suitcase",
    "photograph",
    "hammer",
    "drum",
)
ADJECTIVES = (
    "old",
    "small",
    "broken",
    "heavy",
    "beautiful",
    "strange",
    "wooden",
    "golden",
    "forgotten",
    "dusty",
    "silver",
    "empty",
    "expensive",
    "green",
    "simple",
    "precious",
    "famous",
    "painted",
    "narrow",
    "useless",
)
MOODS = (
    "quiet",
    "happy",
    "tired",
    "afraid",
    "curious",
    "patient",
    "angry",
    "surprised",
    "lonely",
    "calm",
    "proud",
    "nervous",
    "hungry",
    "ashamed",
)
WEATHERS = ("rain", "snow", "wind", "fog", "sunlight", "thunder", "frost", "heat")
TIMES = ("morning", "evening", "winter", "summer", "night", "autumn", "afternoon", "spring")
ROADS = ("road", "river", "bridge", "window", "door", "fire", "table", "wall", "stairs", "gate", "well", "fence")
ADVERBS = (
    "slowly",
    "quickly",
    "carefully",
    "silently",
    "gladly",
    "suddenly",
    "finally",
    "secretly",
    "often",
    "bravely",
)
KIN = ("brother", "sister", "uncle", "cousin", "neighbour", "teacher", "grandmother", "daughter")
# infinitive: past, third person
VERBS = {
    "carry": ("carried", "carries"),
    "find": ("found", "finds"),
    "repair": ("repaired", "repairs"),
    "hide": ("hid", "hides"),
    "bring": ("brought", "brings"),
    "remember": ("remembered", "remembers"),
    "watch": ("watched", "watches"),
    "lose": ("lost", "loses"),
    "sell": ("sold", "sells"),
    "describe": ("described", "describes"),
    "examine": ("examined", "examines"),
    "borrow": ("borrowed", "borrows"),
    "clean": ("cleaned", "cleans"),
    "return": ("returned", "returns"),
    "steal": ("stole", "steals"),
    "draw": ("drew", "draws"),
}
FRAMES = {
    "weather": "In the {time} the {weather} {come} over the {place}.",
    "stood": "{A} {stand} at the {road} and {look} at the {thing}.",
    "verb_thing": "{A} {verb} the {adjective} {thing}.",
    "verb_adverb": "{Ahe} {adverb} {verb} the {thing}.",
    "mood": "{A} {be} {mood}, because the {thing} {be} {adjective}.",
    "mood_pronoun": "{Ahe} {be} {mood} now.",
    "said": '"The {thing} {be} {adjective}," {say} {A}.',
    "asked": '"Where is the {thing}?" {ask} {A}, and {B} {point} to the {road}.',
    "went": "Then {ahe} {go} back to the {place} with {B}.",
    "waited": "{B} {wait} near the {road}, where the {weather} {be} heavy.",
    "who": "{A}, who {know} the {place} well, {verb} the {thing}.",
    "while": "While {A} {verb} the {thing}, {B} {look} at {ahis} {road2}.",
    "gave": "{A} {give} the {thing} to {B}, and {bhe} {verb} it.",
    "when": "When the {time} {come}, {A} {leave} the {place}.",
    "neither": "Neither {A} nor {B} {know} who {own} the {thing}.",
    "there": "There {be} {an_adjective} {thing} beside the {road}.",
    "belonged": "It {belong} to {B}, who {live} in the {place}.",
    "although": "Although the {weather} {be} cold, {ahe} {wait} for {B} until the {time}.",
    "nobody": "Nobody in the {place} {know} that {A} {verb} the {thing}.",
    "end": "At last {A} and {B} {leave_all} the {place} together.",
    "forget": "{Ahe} never {forget} that {time}.",
    "thanks": "{B} {thank} {ahim} and {smile}.",
    "because": "{B} {smile}, because {bhe} {be} {mood}.",
    "kin": "The {kin} of {B} {verb} the {thing} and {leave} it at the {road}.",
    "promise": "{A} {promise} {bhim} that nobody will ever see the {thing}.",
    "dream": "That {time} {ahe} {dream} of the {adjective} {place}.",
    "if": '"If you find the {thing}," {say} {B}, "bring it to the {place}."',
    "both": "Both of them {love} the {place} in the {time}.",
    "only": "Only the {kin} of {A} {know} why the {thing} {be} {adjective}.",
    "letter": "A week later {ahe} {write} to {B} about the {thing} and the {weather}.",
    "hear": "{Ahe} {hear} the {weather} at the {road} and {think} of {ahis} {kin}.",
    "as": "As soon as {B} {see} the {thing}, {bhe} {go} to the {road}.",
    "than": "The {thing} {be} more {adjective} than {ahe} {know}.",
    "before": "Before the {time} {ahe} {verb} the {adjective} {thing} again.",
}
OPENING_FRAMES = ("weather", "stood", "verb_thing", "there2", "who", "when")
OPENING_THERE = "There {be} {an_adjective} {thing} in the {place} of {A}."
IRREGULAR = {
    "come": ("came", "comes"),
    "stand": ("stood", "stands"),
    "look": ("looked", "looks"),
    "be": ("was", "is"),
    "say": ("said", "says"),
    "ask": ("asked", "asks"),
    "point": ("pointed", "points"),
    "go": ("went", "goes"),
    "wait": ("waited", "waits"),
    "know": ("knew", "knows"),
    "give": ("gave", "gives"),
    "leave": ("left", "leaves"),
    "own": ("owned", "owns"),
    "belong": ("belonged", "belongs"),
    "live": ("lived", "lives"),
    "forget": ("forgot", "forgets"),
    "thank": ("thanked", "thanks"),
    "smile": ("smiled", "smiles"),
    "promise": ("promised", "promises"),
    "dream": ("dreamed", "dreams"),
    "love": ("loved", "love"),
    "write": ("wrote", "writes"),
    "hear": ("heard", "hears"),
    "think": ("thought", "thinks"),
    "see": ("saw", "sees"),
}


def zipf(stream, words, flat=1):
    """Words far down their list are rarer, as in any text; the larger flat, the less so."""
    return stream.choices(words, weights=[1 / (rank + flat) for rank in range(len(words))])[0]


def draw_structure(stream):
    frames = [(stream.choice(OPENING_FRAMES), "ab")]
    before = frames[0][0]
    for _ in range(stream.randint(3, 6)):
        frame = zipf(stream, [name for name in FRAMES if name not in (before, "end", "weather")], 3)
        frames.append((frame, stream.choice(("ab", "ab", "ba"))))
        before = frame
    if stream.randrange(3) == 0:
        frames.append(("end", "ab"))
    return (stream.choice(("past", "past", "present")), stream.choice(("wm", "mw", "ww", "mm")), tuple(frames))


class Scene:
    """Who and what recurs, in the tense of the scene."""

    def __init__(self, tense, persons, stream):
        self.stream = stream
        self.form = 0 if tense == "past" else 1
        self.names = []
        for person in persons:
            choices = [name for name in (WOMEN if person == "w" else MEN) if name not in self.names]
            self.names.append(zipf(stream, choices))
        self.persons = persons
        self.place, self.thing = zipf(stream, PLACES), zipf(stream, THINGS)
        self.adjective = zipf(stream, ADJECTIVES)

    def words(self, roles):
        first, second = (0, 1) if roles == "ab" else (1, 0)
        pronouns = [("she", "her", "her") if person == "w" else ("he", "him", "his") for person in self.persons]
        a, b = pronouns[first], pronouns[second]
        # What was described once is mostly described so again.
        again = self.stream.randrange(2) == 0
        adjective = self.adjective if again else zipf(self.stream, ADJECTIVES)
        return {
            "A": self.names[first],
            "B": self.names[second],
            "ahe": a[0],
            "Ahe": a[0].capitalize(),
            "ahim": a[1],
            "ahis": a[2],
            "bhe": b[0],
            "bhim": b[1],
            "kin": zipf(self.stream, KIN),
            "place": self.place,
            "thing": self.thing,
            "adjective": adjective,
            "an_adjective": f"{'an' if adjective[0] in 'aeiou' else 'a'} {adjective}",
            "leave_all": "leave" if self.form else "left",
            "mood": zipf(self.stream, MOODS),
            "weather": zipf(self.stream, WEATHERS),
            "time": zipf(self.stream, TIMES),
            "road": zipf(self.stream, ROADS),
            "road2": zipf(self.stream, ROADS),
            "adverb": zipf(self.stream, ADVERBS),
            "verb": VERBS[zipf(self.stream, list(VERBS))][self.form],
            **{verb: forms[self.form] for verb, forms in IRREGULAR.items()},
        }

    def sentence(self, frame, roles):
        text = OPENING_THERE if frame == "there2" else FRAMES[frame]
        return text.format(**self.words(roles))


def write(structure, stream):
    """The first sentence, and the rest of the scene."""
    tense, persons, frames = structure
    scene = Scene(tense, persons, stream)
    sentences = [scene.sentence(*frame) for frame in frames]
    return sentences[0], " " + " ".join(sentences[1:]) + "\n"
