"""Templates of the evaluation items: `prompt | positive continuation | negative continuation`.

None is a pattern of the generator, and the names (`{n}`, and the companion `{f}`) occur in no story. Prompts end before the
attribute shows; within a concept about half lean to each side or to none. Twenty-four templates a concept, all worded
differently, so that one direction cannot move every item by one accident of wording.
"""

GIRLS = "Nell Ada June Wilma Dora Elsie Fay Gwen Hilda Iris".split()
BOYS = "Ned Theo Abe Carl Earl Glen Hans Ivan Kurt Omar".split()

TEMPLATES = {
    "past": """
        Once upon a time, there| was a young {boy} named {n}.| is a young {boy} named {n}.
        In a town by the sea, there| lived a {boy} named {n}.| lives a {boy} named {n}.
        One bright day, a {boy} named {n}| walked to the market with {his} mom.| walks to the market with {his} mom.
        A young {boy} named {n}| wanted a {colour} {thing}.| wants a {colour} {thing}.
        {n}| found a {colour} {thing} on the way.| finds a {colour} {thing} on the way.
        Today {n} and {his} dad| were at the {place}.| are at the {place}.
        The {colour} {thing}| fell down and rolled away.| falls down and rolls away.
        {n} and {f}| had a {colour} {thing}.| have a {colour} {thing}.
        "I like the {thing}!" {n}| said.| says.
        "Where is my {thing}?"| asked {n}.| asks {n}.
        After dinner, {n}| went to bed.| goes to bed.
        {His} mom| gave {n} a {colour} {thing}.| gives {n} a {colour} {thing}.
        The dog| ran to {n} and jumped up.| runs to {n} and jumps up.
        At the {place}, {n}| saw a {colour} {thing}.| sees a {colour} {thing}.
        Then {f}| came to play with {n}.| comes to play with {n}.
        A {boy} named {n}| sat on a chair and ate a pear.| sits on a chair and eats a pear.
        All the other children| laughed with {n}.| laugh with {n}.
        With a {colour} {thing} in one hand, {n}| ran after {f}.| runs after {f}.
        The day {n} got a {thing}| was the best day.| is the best day.
        {f} and {n}| made a house of paper.| make a house of paper.
        Every morning {n}| took the {colour} {thing} to school.| takes the {colour} {thing} to school.
        Now {n}| knew what to do.| knows what to do.
        Outside, the wind| blew and {n} felt cold.| blows and {n} feels cold.
        {n} is here. {n}| looked at the {thing}.| looks at the {thing}.
        """,
    "french": """
        {n}| est dans la maison.| is in the house.
        {n} et {f}| ont une {chose}.| have a {thing}.
        {n}, {f}| et| and
        « Viens, {n} ! »| Et {n}| And {n}
        Il était une fois un enfant du nom de {n}.| Un jour,| One day,
        {n} aimait beaucoup jouer avec {f}.| Le matin,| In the morning,
        Un matin, {n} a joué dans le jardin.| Il| It
        {n} a un petit chien.| Le chien| The dog
        Dans la maison, {n} cherche un petit chat.| Mais| But
        {f} a donné une boîte à {n}.| C'était| It was
        « Je suis content »,| a dit {n}.| said {n}.
        {n} mange une pomme.| Puis| Then
        Il faisait froid.| {n} avait| {n} had
        Le chat dort sur la table.| {n} regarde le chat.| {n} looks at the cat.
        Once upon a time, there was a child called {n}.| Un jour,| One day,
        {n} has a small dog.| Le chien| The dog
        "I am glad," said {n}.| Puis| Then
        {f} gave {n} a {colour} {thing}.| C'était| It was
        {n} eats an apple.| Puis| Then
        {n} and {f} are good friends.| Chaque jour,| Every day,
        {n} opens the box.| Dans la boîte,| In the box,
        {n}! {n}!| Où est| Where is
        It was late.| {n} dormait| {n} slept
        {n} :| « Je| "I
        """,
    "capitals": """
        {n} took a {colour} {thing} home.| THE {THING} WAS NICE.| The {thing} was nice.
        One day, {n} went out.| {N} SAW A DOG.| {n} saw a dog.
        There was a young {boy} called {n}.| {HE} LIKED TO PLAY.| {He} liked to play.
        {n} has a cat.| THE CAT IS SMALL.| The cat is small.
        "Look at me!" said {n}.| {F} LOOKED AT {HIM}.| {f} looked at {him}.
        It rains, and {n} stays inside.| {HE} READS A BOOK.| {He} reads a book.
        {n} played with {f}.| THEY HAD A {COLOUR} BALL.| They had a {colour} ball.
        At night, {n} was tired.| {HE} WENT TO BED.| {He} went to bed.
        The {thing} is {colour}.| {N} LIKES IT.| {n} likes it.
        {n} ran to the {place}.| {F} WAS THERE.| {f} was there.
        ONCE THERE WAS A {BOY} CALLED {N}.| {HE} LIKED TO PLAY.| {He} liked to play.
        {N} HAS A CAT.| THE CAT IS SMALL.| The cat is small.
        ONE DAY, {N} WENT OUT.| {N} SAW A DOG.| {n} saw a dog.
        "LOOK AT ME!" SAID {N}.| {F} LOOKED AT {HIM}.| {f} looked at {him}.
        THE {THING} IS {COLOUR}.| {N} LIKES IT.| {n} likes it.
        {N} PLAYED WITH {F}.| THEY HAD A {COLOUR} BALL.| They had a {colour} ball.
        AT NIGHT, {N} WAS TIRED.| {HE} WENT TO BED.| {He} went to bed.
        {N} RAN TO THE {PLACE}.| {F} WAS THERE.| {f} was there.
        {N} WANTED A {COLOUR} {THING}.| {F} GAVE {HIM} ONE.| {f} gave {him} one.
        IT RAINS, AND {N} STAYS INSIDE.| {HE} READS A BOOK.| {He} reads a book.
        A| {BOY} NAMED {N} WAS GLAD.| {boy} named {n} was glad.
        I| AM {N}, AND I LIKE THE {THING}.| am {n}, and I like the {thing}.
        "A {thing}!"| SAID {N}.| said {n}.
        1, 2, 3,| {N} COUNTED TO TEN.| {n} counted to ten.
        """,
    "happy": """
        {n} got a {colour} {thing} for {his} birthday. {He} was very| happy.| sad.
        {n} lost {his} {colour} {thing}. {He} was very| happy.| sad.
        {f} came to see {n}, and {n} felt| happy.| sad.
        {f} had to go away, and {n} felt| happy.| sad.
        The {thing} broke. {n}| smiled.| cried.
        The {thing} was fixed. {n}| smiled.| cried.
        {n} won the race. Now {he} is| glad.| sad.
        {n} is all alone. Now {he} is| glad.| sad.
        {n} looked at {f} with a| smile.| tear.
        After a long day, {n}| laughed.| cried.
        The rain did not stop, and {n} began to| smile.| cry.
        The sun came out, and {n} began to| smile.| cry.
        {n} said, "I am so| happy!"| sad!"
        "Why are you so| happy, {n}?"| sad, {n}?"
        For {n} it was a| happy day.| sad day.
        In the evening, {n} told a| happy story.| sad story.
        {f} gave {n} a hug, because {n} was| happy.| sad.
        No one wanted to play, and {n} was| happy.| sad.
        Mom gave {n} a cake, and {n} was| happy.| sad.
        When {he} saw the {colour} {thing}, {n}| laughed with joy.| sobbed with tears.
        {n} sat on the floor and| laughed.| cried.
        {n} and {f} sang a| happy song.| sad song.
        The story of {n} has a| happy end.| sad end.
        {n} has a| happy face.| sad face.
        """,
    "dog": """
        {n} has a pet. It is a| dog.| cat.
        One day, {n} saw a small| dog.| cat.
        {f} has a {colour}| dog named Tip.| cat named Tip.
        The best friend of {n} is a| dog.| cat.
        There was an animal at the door. It was a| dog.| cat.
        {n} gave some food to the| dog.| cat.
        "Please, Mom, I want a| dog," said {n}.| cat," said {n}.
        {n} heard a| bark.| meow.
        A loud sound came from the box. It was a| bark.| meow.
        Under the bed, {n} found a| dog.| cat.
        In the book of {n} there is a {colour}| dog.| cat.
        Tip is the name of the| dog.| cat.
        Tip wagged a long tail and barked. Tip was a| dog.| cat.
        Tip said woof. Tip was a| dog.| cat.
        Tip barked at {n}. "Be quiet!" {n} said to the| dog.| cat.
        Tip purred and said meow. Tip was a| dog.| cat.
        Tip meowed at {n}. "Be quiet!" {n} said to the| dog.| cat.
        Tip purred in the arms of {n}. What a nice| dog!| cat!
        {n} drew a| dog with a {colour} hat.| cat with a {colour} hat.
        {n} ran home with the| dog.| cat.
        When {n} was sad, {he} talked to the| dog.| cat.
        Every evening the {colour}| dog slept next to {n}.| cat slept next to {n}.
        {n} and {f} washed the| dog.| cat.
        "Look, {n}, a| dog!"| cat!"
        """,
    "indoor": """
        {n} went to the| kitchen.| garden.
        {n} and {f} ran to the| bedroom.| park.
        "Let us play in the| kitchen," said {n}.| garden," said {n}.
        {n} sat under the| table.| tree.
        The {colour} {thing} was behind the| sofa.| bush.
        {n} hid behind the| curtain.| hedge.
        The pet of {n} slept on the| carpet.| grass.
        {n} put the {thing} on the| shelf.| rock.
        {f} waited next to the| door.| gate.
        It was cold, so {n} played in the| living room.| field.
        It was warm, so {n} played in the| living room.| field.
        {n} took off {his} coat and sat down on the| rug.| grass.
        {n} put on {his} coat and went to the| attic.| forest.
        {n} loved books, so {he} went to the| library.| beach.
        {n} loved to swim, so {he} went to the| library.| lake.
        {n} stood by the| window.| pond.
        {n} saw the light of the| lamp.| sun.
        {n} dropped the {thing}, and it rolled under the| bed.| bridge.
        {His} mom made soup, and {n} helped her in the| kitchen.| yard.
        {His} dad fed the hens, and {n} helped him in the| kitchen.| yard.
        {n} got lost in the| museum.| forest.
        {n} told {f} to meet at the| shop.| river.
        On Sunday, {n} bought bread at the| bakery.| farm.
        {n} climbed up the| stairs.| hill.
        """,
}
