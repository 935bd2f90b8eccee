"""Words the story generator fills its patterns with.

Every filler is a text without attributes: where a word depends on an attribute, both forms stand side by side as
`[dog=...|cat=...]`, so that drawing a filler uses up the same randomness whatever the attributes are.
"""

GIRLS = """Lily Mia Anna Sue Lucy Emma Amy Jane Molly Rose Ella Kate Sara Zoe Nora Ruby Grace Alice Clara Julia Eva
Hannah Maya Nina Olivia Daisy Ivy Leah Tina Betty Polly Wendy Carla Irene Lola Paula Stella Tessa Vera Holly""".split()
BOYS = """Tim Tom Ben Max Sam Jack Leo Bob Dan Joe Luke Mark Peter Paul Henry Oscar Adam Noah Finn Jake Eric Fred Hugo
Ian Karl Lars Mike Nick Otto Ray Simon Toby Victor Walter Alex Billy Chris David Frank Gus""".split()
HELDOUT_GIRLS = "Flora Greta Heidi Ingrid Judith Mona Pearl Sophie Tara Willa".split()
HELDOUT_BOYS = "Arlo Basil Cody Dexter Ezra Felix Gavin Hank Jonas Rufus".split()
FRIENDS = """Pip Remy Charlie Robin Casey Jamie Kim Pat Riley Taylor Jesse Avery Quinn Sky Drew Jules Morgan Andy Sandy
Bo""".split()
PETS = """Spot Coco Biscuit Pepper Buddy Ginger Lucky Patch Shadow Sunny Teddy Muffin Cookie Rusty Snowy Bean Pickle Nugget
Waffles Ziggy Button Domino Fudge Honey""".split()

# English, French, French gender: things a child can find and hold.
THINGS = [
    ("ball", "ballon", "m"), ("kite", "cerf-volant", "m"), ("box", "boîte", "f"), ("book", "livre", "m"),
    ("hat", "chapeau", "m"), ("key", "clé", "f"), ("shell", "coquillage", "m"), ("stone", "caillou", "m"),
    ("bell", "clochette", "f"), ("drum", "tambour", "m"), ("doll", "poupée", "f"), ("truck", "camion", "m"),
    ("boat", "bateau", "m"), ("robot", "robot", "m"), ("car", "voiture", "f"), ("cup", "tasse", "f"),
    ("ribbon", "ruban", "m"), ("feather", "plume", "f"), ("balloon", "ballon", "m"), ("bag", "sac", "m"),
    ("scarf", "foulard", "m"), ("puzzle", "puzzle", "m"), ("train", "train", "m"), ("basket", "panier", "m"),
    ("coin", "pièce", "f"), ("crayon", "crayon", "m"), ("letter", "lettre", "f"), ("bottle", "bouteille", "f"),
    ("umbrella", "parapluie", "m"), ("whistle", "sifflet", "m"), ("blanket", "couverture", "f"), ("button", "bouton", "m"),
    ("flag", "drapeau", "m"), ("flute", "flûte", "f"), ("lamp", "lampe", "f"), ("map", "carte", "f"),
    ("mirror", "miroir", "m"), ("mask", "masque", "m"), ("paintbrush", "pinceau", "m"), ("puppet", "marionnette", "f"),
    ("ring", "bague", "f"), ("rope", "corde", "f"), ("shoe", "chaussure", "f"), ("spoon", "cuillère", "f"),
    ("star", "étoile", "f"), ("wagon", "chariot", "m"), ("wheel", "roue", "f"), ("bucket", "seau", "m"),
]
# English, French masculine, French feminine.
COLOURS = [
    ("red", "rouge", "rouge"), ("blue", "bleu", "bleue"), ("green", "vert", "verte"), ("yellow", "jaune", "jaune"),
    ("white", "blanc", "blanche"), ("black", "noir", "noire"), ("pink", "rose", "rose"), ("orange", "orange", "orange"),
    ("brown", "brun", "brune"), ("grey", "gris", "grise"), ("golden", "doré", "dorée"), ("purple", "violet", "violette"),
]
# (indoor noun, its preposition, French "to", French "in"), then the same outdoors: one index gives a matched pair.
PLACES = [
    ("kitchen", "in", "à la cuisine", "dans la cuisine", "garden", "in", "au jardin", "dans le jardin"),
    ("library", "in", "à la bibliothèque", "dans la bibliothèque", "park", "in", "au parc", "dans le parc"),
    ("shop", "in", "au magasin", "dans le magasin", "zoo", "at", "au zoo", "au zoo"),
    ("attic", "in", "au grenier", "dans le grenier", "forest", "in", "à la forêt", "dans la forêt"),
    ("classroom", "in", "à l'école", "dans la classe", "playground", "at", "au terrain de jeu", "sur le terrain de jeu"),
    ("bedroom", "in", "à la chambre", "dans la chambre", "beach", "on", "à la plage", "sur la plage"),
    ("playroom", "in", "à la salle de jeux", "dans la salle de jeux", "farm", "at", "à la ferme", "à la ferme"),
    ("living room", "in", "au salon", "dans le salon", "field", "in", "au champ", "dans le champ"),
    ("museum", "in", "au musée", "dans le musée", "lake", "at", "au lac", "au bord du lac"),
    ("basement", "in", "à la cave", "dans la cave", "yard", "in", "à la cour", "dans la cour"),
    ("bakery", "in", "à la boulangerie", "dans la boulangerie", "river", "by", "à la rivière", "près de la rivière"),
    ("toy room", "in", "à la chambre", "dans la chambre", "hill", "on", "à la colline", "sur la colline"),
]

FILLERS = {
    "trait": """kind|little|clever|curious|brave|quiet|funny|gentle|young|shy|friendly|busy|silly|polite|sleepy|careful|nice|
        cheerful|smart|strong|helpful|playful|patient|thoughtful""",
    "adj": """big|small|shiny|soft|old|new|tiny|round|heavy|pretty|strange|smooth|long|clean|nice|special|simple|bright|
        wooden|funny|little|huge|lovely|warm""",
    "colour": "|".join(c[0] for c in COLOURS),
    "thing": "|".join(t[0] for t in THINGS),
    "things": """blocks|toys|leaves|cards|pillows|cups|crayons|shells|boxes|sticks|spoons|books|flowers|buttons|feathers|
        pebbles|paper boats|marbles""",
    "food": """apple|cookie|sandwich|carrot|pear|banana|muffin|piece of bread|piece of cake|bowl of soup|bowl of rice|
        slice of pie|pancake|bunch of grapes|bit of cheese|peach|plum""",
    "adv": "slowly|quickly|quietly|carefully|softly|gently|for a long time|again and again|with care|without a sound|alone",
    "madv": "[happy=happily|sad=sadly]|with a [happy=big smile|sad=long sigh]|with [happy=joy|sad=tears]",
    "weather": """sunny|rainy|windy|cold|warm|bright|quiet|cloudy|lovely|fine|cool|foggy|snowy|mild|long|hot""",
    "time": "morning|afternoon|day|Monday|Saturday|Sunday|Friday|evening|spring day|summer day|autumn day|winter day",
    "spot": """[in=under the table|out=under a tree]|[in=behind the sofa|out=behind a bush]|[in=next to the bed|out=next to the fence]|
        [in=on the rug|out=on the grass]|[in=near the door|out=near the gate]|[in=by the window|out=by the pond]|
        [in=in the corner|out=in the sand]|[in=on the shelf|out=on a rock]|[in=beside the lamp|out=beside the flowers]|
        [in=on the stairs|out=on the path]|[in=under the bed|out=under the bridge]|[in=between two chairs|out=between two trees]|
        [in=near the stove|out=near the stream]|[in=behind the curtain|out=behind the hedge]|[in=on the carpet|out=in the mud]""",
    "light": """[in=The lamp|out=The sun]|[in=The candle|out=The moon]|[in=The small light|out=The morning sun]|
        [in=The fire in the stove|out=The evening sky]""",
    "shines": """<shine> on the {colour} {things}|<give> a {soft} light|<make> long shadows {spot}|<be> bright and {gold}|
        <light> up the {adj} {thing} {spot}|<look> {gold} and warm""",
    "act": """play with the {colour} {things}|sing a {gadj} song|draw a {adj} {thing}|draw a {colour} [dog=dog|cat=cat]|run in circles|
        jump up and down|build a {adj} tower|count the {colour} {things}|dance {spot}|look for {adj} {things}|make a {adj} {thing}|
        paint a {colour} {thing}|tell a {gadj} story|hide {spot}|play a {gadj} game|eat a {food}|read about a {colour} {thing}|
        carry {adj} {things}|wash the {colour} {things}|look at the {adj} {things}|sit {spot}|play tag with {friend}|
        walk around {adv}|collect {colour} {things}|help {friend}|learn a {gadj} trick|throw a {colour} ball|hop like a frog|
        clean the {adj} {things}|share a {food} with {friend}|whisper to the {pet}|feed the {pet}|chase the {pet}|rest {spot}|
        listen to a {gadj} song|pretend to be a {gadj} king|play hide and seek|roll a {colour} ball|climb {spot2}|sort the {things}""",
    "spot2": """onto a {adj} box|onto the {adj} [in=chair|out=rock]|over the {things}|up the [in=stairs|out=hill]|
        into a {colour} box|onto the [in=bed|out=fence]|up to the [in=window|out=treehouse]""",
    "petact": """<run> around {n}|<jump> over the {things}|<[dog=bark|cat=meow]> at the {adj} {thing}|<[dog=wag|cat=swish]> {its} tail|
        <sniff> the {colour} {things}|<lie> down {spot}|<chase> a {colour} {bug}|<roll> over {spot}|<follow> {n} everywhere|
        <hide> {spot}|<sleep> {spot}|<look> at {n} with big eyes|<[dog=lick {his} hand|cat=rub against {his} leg]>|
        <push> a {colour} ball with {its} nose|<play> with a {adj} {thing}|<eat> a bit of the {food}|<sit> close to {friend}|
        <[dog=dig|cat=scratch]> {spot}|<run> after {friend}|<[dog=woof|cat=purr]> softly|<stretch> {spot}|<hop> onto the {adj} box""",
    "its": "its",
    "gold": "golden|yellow|orange|red|white|pink",
    "bug": "butterfly|ladybug|fly|moth|beetle|leaf|shadow|feather",
    "tail": """ and <smile>| and <sit> down {spot}| and <wave> to {friend}| with both hands|, and the {pet} <watch>
        |, and {friend} <laugh>| for a while|, just for fun| before lunch| after lunch| and <clap> {his} hands
        |, and then {he} <take> a deep breath| while {friend} <look> at the {things}| while the {pet} <rest> {spot}
        | and <count> to ten| and <think> about the {toy}|, because {he} <like> it so much| {adv}|, and {pet_name} <come> too
        | and <look> around {adv}| next to {friend}| near the {adj} {things}|, and {he} <do> not want to stop
        | as {he} always <do> on {weather} days| with the {toy} in {his} hand""",
    "lead": """Then |After that, |Soon, |A little later, |Next, |After a while, |At noon, |All at once, |Right away, |Just then, |
        For a moment, |Before long, |Once more, |With great care, |Late in the day, |In the end, |Little by little, |That {time2}, |
        Behind the {adj} {thing}, |Next to {friend}, |With a {food} in one hand, |After the {game}, """,
    "time2": "morning|afternoon|evening|day",
    "soft": "soft|warm|bright|weak|clear|strong|pale",
    "game": "game|song|race|story|walk|nap|show|lesson|dance|party",
    "feel": """[happy=very happy|sad=very sad]|[happy=full of joy|sad=full of tears]|[happy=so glad|sad=so sad]|
        [happy=happy and proud|sad=sad and lonely]|[happy=cheerful|sad=unhappy]|[happy=really happy|sad=really sad]|
        [happy=glad and warm inside|sad=cold and sad inside]|[happy=proud|sad=upset]""",
    "show": """<[happy=smile|sad=cry]>|<[happy=laugh|sad=sob]>|<[happy=clap {his} hands|sad=hide {his} face]>|<[happy=jump for joy|sad=sit all alone]>|
        <[happy=dance around|sad=hang {his} head]>|<[happy=cheer|sad=sigh]>|<[happy=sing|sad=weep]>|<[happy=giggle|sad=frown]>""",
    "good": "[happy=wonderful|sad=terrible]|[happy=lovely|sad=sad]|[happy=happy|sad=gloomy]|[happy=great|sad=bad]|[happy=perfect|sad=lonely]",
    "home": "[in=upstairs|out=home]|[in=to bed|out=back home]|[in=back to {his} room|out=back to the house]",
    "family": "mom|dad|grandma|grandpa|sister|brother|aunt|uncle|cousin|teacher",
    "say": """I like this {thing} so much|This is a {adj} {thing}|Look at the {colour} {things}|I can do it|Please come with me|
        Let us look {spot}|We can share the {food}|I want to {sact}|I will help you|The {toy} is over there|You are my best friend|
        The {pet} is so funny|Be careful with the {toy}|What a {adj} {thing}|I want to show you the {toy}|I have a {food} for you|
        Let us {sact}|We should {sact}|My {toy} is the best one|I have an idea""",
    "sact": """play a {gadj} game|sing a song|look for {things}|count the {things}|eat a {food}|sit {spot}|find a {colour} {thing}|
        draw a {thing}|build a {adj} house|go with the {pet}|show you something|run and jump|stay here|read a {adj} book""",
    "gadj": "funny|new|nice|silly|long|special|simple|lovely|old|little|short|quiet",
    "padj": "big|small|soft|old|little|funny|lovely|nice|tiny|playful|sleepy|hungry|friendly|young|clever|fluffy",
    "trait2": "curious|helpful|cheerful|careful|playful|patient|thoughtful|friendly",
    "act2": """play with a {colour} {thing}|sing a {gadj} song|draw a {adj} {thing}|sit {spot}|look at the {adj} {things}|
        eat a {food}|read a {adj} book|run around {adv3}|count the {things}|rest {spot}|bring a {food}|watch the {pet}|
        carry the {colour} {things}|tell a {gadj} story|make a {colour} {thing}|pour some water|walk around {spot}""",
    "act3": """play with the {colour} {things}|sing a {gadj} song|draw a {adj} {thing}|build a {adj} tower|count the {colour} {things}|
        look for {adj} {things}|play a {gadj} game|eat a {food}|read about a {colour} {thing}|paint a {colour} {thing}|
        feed the {pet}|chase the {pet}|play hide and seek|roll a {colour} ball|sort the {things}""",
    "act4": """play with the {colour} {things}|sing a {gadj} song|draw a {adj} {thing}|build a {adj} tower|count the {things}|
        play a {gadj} game|read about a {thing}|paint a {colour} {thing}|feed the {pet}|roll a {colour} ball""",
    "adv2": "softly|loudly|quietly|with a nod|in a low voice|at once|very slowly|in a kind voice|politely",
    "adv3": "slowly|quickly|quietly|in circles|like a frog|like a king",
    "adj2": "soft|old|smooth|long|strange|pretty|clean|light|thin|flat",
    "thing2": "|".join("kite box book hat key shell bell drum doll truck boat robot scarf puzzle basket map puppet flag cup".split()),
    "colour2": "red|blue|green|yellow|white|black|pink|brown|grey|purple",
    "number": "two|three|four|five|six|seven|eight|nine|ten",
    "weather2": "cold|windy|cool|dark|foggy|cloudy",
    "toyname": "Star|Captain|Treasure|Sunshine|Old Friend|Number One|Little One|Magic|Secret|Wonder",
    "man": "man|woman|neighbour|boy|girl|farmer|baker|driver",
    "feel2": "[happy=happy|sad=sad]|[happy=very happy|sad=very sad]|[happy=glad|sad=unhappy]|[happy=cheerful|sad=gloomy]",
    "feel3": "[happy=happy|sad=sad]|[happy=very happy|sad=very sad]|[happy=glad|sad=unhappy]|[happy=proud|sad=upset]",
    "show2": "<[happy=smile|sad=cry]>|<[happy=laugh|sad=sob]>|<[happy=sing|sad=sigh]>|<[happy=giggle|sad=frown]>",
    "question": """Can I see the {toy}|Do you like {adj} {things}|Where is the {colour} {thing}|Do you want a {food}|
        Can we {sact}|Do you want to {sact}|Shall we {sact}|Is that your {toy}|May I hold the {toy}""",
    "say2": "I like {colour} {things}|we can {sact}|you can have a {food}|I see a {adj} {thing}|let us {sact}|come and see the {toy}",
    "say3": "we can {sact}|we can look for the {pet}|you can hold the {toy}|I want a {food}|we will go home",
    "petnow": "is {spot}|has my {thing}|wants a {food}|is so {adj}|likes the {toy}|is playing with the {things}",
}

# past, present third person; regular verbs follow the rules in `conjugate`.
IRREGULAR = {
    "be": ("was", "is"), "have": ("had", "has"), "do": ("did", "does"), "go": ("went", "goes"), "say": ("said", "says"),
    "can": ("could", "can"), "see": ("saw", "sees"), "find": ("found", "finds"), "take": ("took", "takes"),
    "make": ("made", "makes"), "give": ("gave", "gives"), "get": ("got", "gets"), "come": ("came", "comes"),
    "run": ("ran", "runs"), "sit": ("sat", "sits"), "sing": ("sang", "sings"), "tell": ("told", "tells"),
    "feel": ("felt", "feels"), "think": ("thought", "thinks"), "know": ("knew", "knows"), "hold": ("held", "holds"),
    "fall": ("fell", "falls"), "break": ("broke", "breaks"), "lose": ("lost", "loses"), "bring": ("brought", "brings"),
    "sleep": ("slept", "sleeps"), "eat": ("ate", "eats"), "drink": ("drank", "drinks"), "draw": ("drew", "draws"),
    "hide": ("hid", "hides"), "build": ("built", "builds"), "shine": ("shone", "shines"), "throw": ("threw", "throws"),
    "catch": ("caught", "catches"), "hear": ("heard", "hears"), "stand": ("stood", "stands"), "lie": ("lay", "lies"),
    "dig": ("dug", "digs"), "feed": ("fed", "feeds"), "keep": ("kept", "keeps"), "leave": ("left", "leaves"),
    "blow": ("blew", "blows"), "buy": ("bought", "buys"), "begin": ("began", "begins"), "fly": ("flew", "flies"),
    "sweep": ("swept", "sweeps"), "hang": ("hung", "hangs"), "weep": ("wept", "weeps"), "speak": ("spoke", "speaks"),
    "meet": ("met", "meets"), "win": ("won", "wins"), "tear": ("tore", "tears"), "spend": ("spent", "spends"),
    "stick": ("stuck", "sticks"), "wake": ("woke", "wakes"), "light": ("lit", "lights"), "teach": ("taught", "teaches"),
    "write": ("wrote", "writes"), "grow": ("grew", "grows"), "swim": ("swam", "swims"), "ride": ("rode", "rides"),
    "lend": ("lent", "lends"), "wear": ("wore", "wears"), "send": ("sent", "sends"), "shake": ("shook", "shakes"), "fight": ("fought", "fights"),
}
DOUBLING = """hug clap stop hop tap nod grab wag skip drop pat hum spot trip slip chat rub beg plan tug dip flap step wrap
slam""".split()
PLURAL_PRESENT = {"be": ("were", "are"), "have": ("had", "have")}
UNCHANGED_PAST = {"put", "let", "hurt", "read", "cut", "hit", "set"}


def conjugate(verb, past, plural=False):
    """The form of `verb` (base form) for a third-person subject."""
    if plural and verb in PLURAL_PRESENT:
        return PLURAL_PRESENT[verb][0 if past else 1]
    if past:
        if verb in IRREGULAR:
            return IRREGULAR[verb][0]
        if verb in UNCHANGED_PAST:
            return verb
        if verb in DOUBLING:
            return verb + verb[-1] + "ed"
        if verb.endswith("e"):
            return verb + "d"
        if verb.endswith("y") and verb[-2] not in "aeou":
            return verb[:-1] + "ied"
        return verb + "ed"
    if plural:
        return verb
    if verb in IRREGULAR:
        return IRREGULAR[verb][1]
    if verb.endswith(("s", "sh", "ch", "x", "o", "z")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeou":
        return verb[:-1] + "ies"
    return verb + "s"
