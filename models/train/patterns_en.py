"""English sentence patterns by slot of the story.

`{n}` is the hero's name, `{S}` the name or the pronoun at a sentence start, `{he} {him} {his}` agree with the hero, `{friend}`
is the companion, `{toy}` the story's object, `{place}` its place, `{Pet}` and `{pet_name}` the animal. `<verb ...>` is
conjugated for the story's tense, `<+verb>` in the plural. `[happy=...|sad=...]` depends on an attribute.
"""

OPENING = """
Once upon a time, there <be> a {trait} {boy} named {n}.
Once upon a time, there <be> a {trait} and {trait} {boy} named {n}.
Once upon a time, there <be> a little {boy} named {n}.
Once upon a time, there <be> a {boy} called {n}, and {he} <be> very {trait}.
There once <be> a {trait} {boy} named {n}, who <like> {adj} things.
{n} <be> a little {boy}.
{n} <be> a {trait} {boy} with a {colour} {thing}.
{n} <be> a {trait} {boy}, and everybody <like> {him}.
One day, a {boy} named {n} <walk> to the {place}.
One {weather} {time}, a {trait} {boy} named {n} <go> to the {place}.
One day, a little {boy} named {n} <be> {at}.
One {weather} {time}, a {boy} named {n} <want> to {act}.
In a {adj} house with a {colour} door, there <live> a {trait} {boy} named {n}.
In a {adj} town, there <live> a {boy} named {n} with {his} {family}.
Once there <be> a {trait} {boy} whose name <be> {n}.
This is the story of a {trait} {boy} named {n}.
{n} <live> in a {adj} house next to a {adj} {thing} shop.
{n} and {his} {family} <+live> in a {adj} {colour} house.
Long ago, a {trait} {boy} named {n} <live> near a {adj} {place}.
Every day, a {boy} named {n} <go> to the {place} to {act}.
A {trait} {boy} named {n} <live> with {his} {family} in a {colour} house.
{n} <be> the most {trait2} {boy} in the whole town.
Once upon a time, in a {adj} town, there <be> a {trait} {boy} named {n}.
Once upon a time, a {boy} named {n} <have> a {adj} {colour} {thing}.
On a {weather} {time}, a {trait} {boy} named {n} <wake> up early.
There <be> once a {trait} {boy} named {n} who <live> with {his} {family} near the {place}.
{n} <be> a little {boy} who <like> to {act}.
Once upon a time, a {trait} {boy} named {n} <sit> {at} with a {adj} {thing}.
One {weather} {time}, a {boy} named {n} <find> a {colour} {thing} {at}.
Far away, in a {adj} town, a {boy} named {n} <want> to {act}.
{n} <be> a {boy} who never <stop> asking about {adj} {things}.
One day, a {trait} {boy} named {n} <wake> up and <want> to go to the {place}.
A little {boy} named {n} <have> a {adj} room full of {colour} {things}.
{n} and {his} {family} <+be> {at} on a {weather} {time}.
Once upon a time, there <be> a little {boy} named {n} who <have> a {colour} {thing}.
"""

HABIT = """
{S} <like> to {act}.
{S} <like> to {act} {at}.
{S} <like> to {act}, and {he} <like> to {act} too.
Every {time}, {n} <want> to {act}.
{S} <like> {adj} {things}, and most of all {n} <like> to {act}.
{n} <love> {colour} {things} more than anything else.
{S} always <have> a {colour} {thing} in {his} bag.
{S} <have> a {adj} {thing} and a {colour} {thing} at home.
On {weather} days, {n} often <go> to the {place} to {act}.
{n} <know> how to {act} very well.
{S} <wear> a {colour} hat and <carry> a {adj} {thing}.
All the children <+know> that {n} <like> to {act}.
Most of the time, {n} <be> busy with {his} {colour} {things}.
{S} <can> {act} all day long.
{S} <have> only one wish: {he} <want> a {colour} {thing}.
Before bed, {n} always <count> {his} {adj} {things}.
When it <be> {weather}, {n} <like> to {act} {spot}.
{n} never <go> out without {his} {colour} {thing}.
{S} <be> good at many games, but {he} <like> to {act} best.
{S} <like> to play at the {place}.
{S} <have> many {things}, but {n} <like> the {colour} ones best.
{His} {family} often <tell> {n} a {gadj} story about a {colour} {thing}.
When {n} <be> at home, {he} always <want> to {act}.
{S} <know> every {adj} {thing} in the town.
{n} <want> to learn how to {act4}.
{S} <eat> a {food} every {time2} and then <{act}>.
{n} <keep> {number} {colour} {things} in a {adj} box.
{S} <be> not afraid of anything, only of {adj} {things}.
{n} <make> {colour} {things} out of paper and <give> them to {his} {family}.
{n} <sing> every {time2}, and {his} {family} <like> it.
"""

SETTING = """
One day, {n} <go> to the {place} with {friend}.
One {weather} {time}, {n} <go> to the {place} with {friend}.
One {weather} {time}, {n} and {friend} <+walk> to the {place}.
One day, {friend} <ask> {n} to come to the {place} and {sact}.
On a {weather} {time}, {n} <take> {his} {colour} {thing} to the {place}, and {friend} <come> too.
{S} <see> {friend} there.
{S} <meet> {friend} {at}, right {spot}.
It <be> a {weather} {time}, so {n} <go> to the {place} with {friend}.
{Friend} <be> already {at} when {n} <come> in with a {adj} {thing}.
That {time}, {n} and {friend} <+be> {at}.
After breakfast, {n} <take> a {food} and <go> to the {place} with {friend}.
{n} and {friend} <+meet> {at} every {time}.
One {time}, {n} <run> to the {place}, because {friend} <have> a {colour} {thing} to show {him}.
It <be> {weather}, and {n} <play> {at} with {friend}.
One {weather} {time}, {friend} <call> {n} and <tell> {him} to come to the {place}.
The {place} <be> {adj} and quiet, and {n} <like> to be there with {friend}.
Today {n} <can> stay {at} all {time2} with {friend}.
On {weather} days, {n} and {friend} always <+go> to the {place} to {act3}.
{light} {shines}.
{n} <look> around {at} and <see> {friend} {spot}.
One day, {n} <walk> to the {place}, and {he} <see> {friend} there.
Then one {weather} {time}, {friend} <take> {n} to the {place} to look for {adj} {things}.
One {time}, {n} <carry> a {colour} {thing} to the {place} and <show> it to {friend}.
{n} <ask> {friend} to go to the {place}, because {he} <want> to {act3}.
The {place} <be> full of {colour} {things}, and {friend} <wait> there for {n}.
{n} and {friend} <+come> to the {place} to {act3} together.
There <+be> {adj} {things} {at}, and {n} <like> to look at them with {friend}.
On {weather} days, {friend} <like> to be {at}, so {n} <go> there too.
It <be> quiet {at}, and {n} <wait> {spot} for {friend}.
One {weather} {time}, {n} <play> {at} until {friend} <come> with a {food}.
"""

ANIMAL = """
{His} {pet} {pet_name} <come> along and {petact}.
{S} <have> a {colour} {pet} named {pet_name}.
{S} <have> a {padj} {pet}, and {its} name <be> {pet_name}.
A {padj} {pet} named {pet_name} <sit> {spot}.
There <be> also a {colour} {pet} called {pet_name}, who {petact}.
{n} <take> {his} {pet} {pet_name} along, and the {pet} {petact}.
{Friend} <bring> a {trait} {pet} named {pet_name}.
{n} never <go> anywhere without {pet_name}, {his} {colour} {pet}.
{pet_name} the {pet} <be> there too and {petact}.
{S} <see> a {padj} {colour} {pet} {spot}, and everybody <call> it {pet_name}.
A {trait} {pet} <wait> for {n} {spot}, and {its} name <be> {pet_name}.
{His} best friend <be> a {padj} {pet} named {pet_name}, who always {petact}.
The family <have> a {colour} {pet}, {pet_name}, who {petact}.
{n} <carry> a {food} for {pet_name}, the {padj} {pet}.
{pet_name}, a {colour} {pet} with a {adj} nose, {petact}.
{n} and {friend} <+see> a {padj} {pet} there, and they <+call> it {pet_name}.
{pet_name} <be> a {padj} {pet} who <like> {colour} {things}.
With {n} <come> {pet_name}, a {padj} {colour} {pet}.
Then {n} <hear> [dog=a bark|cat=a meow] {spot}, and it <be> {pet_name}, the {padj} {pet}.
A {colour} {pet} named {pet_name} {petact}.
Near {friend}, there <be> a {padj} {pet} with the name {pet_name}.
{n} <love> {pet_name}, a {padj} {pet} with a {colour} tail.
{pet_name}, the {pet} of {his} {family}, {petact}.
The {padj} {pet} {pet_name} <sit> {spot} and {petact}.
{n} <bring> a {adj} {thing} for {pet_name}, {his} {padj} {pet}.
"""

FIND = """
{n} <find> a {toy} {spot}.
{n} <find> a {toy} {spot}, right next to the {adj} {things}.
{n} <see> a {toy} {spot} and <pick> it up {adv}.
Suddenly {n} <see> something {spot}, and it <be> a {toy}.
{Friend} <give> {n} a {toy} as a gift.
{Friend} <show> {n} a {toy} and <put> it {spot}.
The {pet} <bring> {n} a {toy} and <put> it {spot}.
{S} <have> a {toy} with {him}, and {friend} <want> to see it.
{S} <look> {spot} and there <be> a {toy}.
Under the {things}, {n} <find> a {adj}, {toy}.
{n} <open> a {adj} box, and inside there <be> a {toy}.
{S} <want> to show {friend} {his} new {toy}.
{n} <trade> a {food} for a {toy}, and {friend} <be> pleased.
{n} <bring> {his} {toy} to play with, and {friend} <bring> a {colour} {thing2}.
Somebody <leave> a {toy} {spot}, and {n} <ask> who it belongs to.
Next to the {colour} {things}, {n} <see> a {toy}.
{S} <trip> over a {toy} {spot}.
{pet_name} <sniff> at a {toy} {spot}, so {n} <come> to look.
With {friend}, {n} <make> a {toy} out of {colour2} paper.
{n} <buy> a {toy} with {his} own coins.
{S} <ask> {friend} for a gift, and {friend} <give> {him} a {toy}.
Between the {things}, {n} <see> a {toy} and <take> it.
{n} <look> for a {adj} {thing2}, but {he} <find> a {toy}.
High up on a {adj} box, {n} <see> a {toy}.
A {trait} {man} <give> {n} a {toy} for one {food}.
{n} and {friend} <+find> a {toy} in a {adj} box {spot}.
{n} <have> a {toy} in {his} bag, wrapped in {colour2} paper.
On that {time2}, {his} {family} <send> {n} a {toy}.
{friend} and {n} <+look> {spot}, and there they <+see> a {toy}.
{n} <want> a {toy}, and {friend} <know> where to find one.
"""

BODY = """
{n} <{act}>{tail}.
{lead}{n} <{act}>{tail}.
{lead}{he} <{act}>{tail}.
{lead}{n} <{act}>.
{S} <{act}>, and {friend} <{act2}>.
{n} and {friend} <+want> to {act3}, so they <+look> {spot}.
{lead}{n} <want> to {act}, but {friend} <want> to {act3}.
{Pet} {petact}, and {n} <{act}>.
{lead}{petref} {petact}.
{Pet} {petact} and then {petact}.
{lead}{friend} <{act2}>{tail}.
{Friend} <{act2}>, so {n} <{act}>.
{n} <put> the {toy} {spot} and <{act}>.
{n} <hold> the {toy} in one hand and a {food} in the other.
{n} <show> the {toy} to {friend}{tail}.
{lead}{n} <hide> the {toy} {spot}, and {friend} <look> for it.
{n} <share> a {food} with {friend} {spot}.
{n} <give> {pet_name} a bit of the {food}, and the {pet} {petact}.
{lead}{n} <see> {adj} {things} {spot} and <count> them.
{n} <clean> the {toy} with a {adj} cloth{tail}.
{n} <draw> the {toy} on a {adj} piece of {colour2} paper.
{light} {shines}, and {n} <{act}>.
{light} {shines} while {n} <rest> {spot}.
A {colour} {bug} <land> on the {toy}, and {n} <watch> it {adv}.
{lead}{n} <teach> {friend} how to {act3}.
{n} <learn> how to {act}, and it <take> a long time.
{n} <ask> {friend} for a {colour} {thing2}{tail}.
{n} <think> that the {toy} <look> {adj} and {adj2}.
{n} <try> to {act}, but the {pet} {petact}.
{Pet} {petact}, and everybody <laugh> at the {padj} {pet}.
{n} <build> a {adj} house for {pet_name} out of {things}.
{n} <roll> the {toy} to {friend}, and {friend} <roll> it back {adv}.
{lead}{n} <hear> a {adj} sound {spot}, but it <be> only the {pet}.
There <+be> {adj} {things} {spot}, and {n} <pick> up {number} of them.
{n} <make> a {colour} {thing2} for {friend} and a {adj} one for {pet_name}.
{n} <walk> {adv} to the {things} and <{act}>.
{lead}{n} <find> {number} {colour} {things} {spot}.
{n} <wrap> the {toy} in {colour} paper{tail}.
{Friend} <tell> {n} about a {adj} {thing2} and a {colour} {thing2}.
{n} <sit> {spot} and <eat> a {food} with {friend}.
{n} <help> {friend} carry the {adj} {things}{tail}.
{n} <pretend> that the {toy} <be> a {adj} {colour} ship.
{lead}{n} and {pet_name} <+play> {spot} until {friend} <come> back.
{n} <put> {number} {things} {spot} and <make> a {adj} circle.
{n} <tie> a {colour} ribbon to the {toy}{tail}.
{His} {family} <bring> a {food} for {n} and a {food} for {friend}.
{n} <wave> the {toy} in the air, and {friend} <wave> a {colour} {thing2}.
{n} <tell> {friend} that {he} <want> to {act}.
{n} <step> over the {adj} {things} and <look> {spot}.
The {toy} <be> {adj} and {adj2}, so {n} <carry> it {adv}.
{n} <drop> the {food}, and {pet_name} <eat> it {adv}.
{lead}{friend} <ask> {n} to {act4}, and {n} <say> yes.
{n} <play> a {gadj} {game} with {friend} {spot}.
In this {gadj} game, {n} <be> a king and {friend} <be> a {trait} helper.
{n} <climb> {spot2}, and {friend} <hold> the {toy}.
{n} <paint> the {adj} {things} {colour} and {colour2}.
It <begin> to get {weather2}, so {n} <put> on a {colour} coat.
{n} <blow> a {adj} whistle, and {pet_name} {petact}.
{n} <count> the {colour} {things} one by one until there <+be> {number}.
{n} <ride> {at} in a {adj} wagon, and {friend} <push> it {adv}.
Nobody {at} <can> {act4} like {n}.
{n} <look> at {friend} and <hum> a {gadj} song.
Step by step, {n} <learn> to {act} with the {toy}.
{n} <want> to give the {toy} a name, so {he} <call> it {toyname}.
{n} <bring> {friend} a {colour} {thing2} and <get> a {food} back.
{n} <lend> {friend} the {toy}, and {friend} <lend> {n} a {colour} {thing2}.
{lead}{n} <bring> a {food} and <put> it next to the {adj} {things}.
{Friend} and {n} <+look> at the {toy} and <+talk> about {adj} {things}.
{lead}{n} <pour> a cup of milk for {pet_name}, and the {pet} <drink> it {adv}.
{n} <want> to know what <be> in the {adj} box, so {he} <open> it {adv}.
In the box there <+be> {number} {colour} {things}, and {n} <give> one to {friend}.
{n} <jump> over the {things} {number} times while {friend} <count>.
{lead}{n} <ask> {pet_name} to sit, and the {pet} {petact}.
{n} <dress> the {pet} in a {colour} scarf, and {friend} <look> at it {adv}.
{lead}{n} <blow> soap bubbles, and {pet_name} {petact}.
{n} <stand> {spot} with the {toy} and <sing> a {gadj} song.
{n} <wash> {his} hands and <eat> a {food} {spot}.
{lead}a {trait} {man} <come> by and <ask> {n} about the {toy}.
A {trait} {man} <show> {n} and {friend} how to {act3}.
{n} <push> the {adj} {things} away and <make> room for the {toy}.
{n} <think> of a {gadj} game with the {toy} and the {things}.
{lead}{n} <whisper> something to {friend} about the {colour} {thing2}.
{n} <fill> a {colour} bucket with {things} and <carry> it {adv}.
{lead}{he} <see> {friend} with a {colour} {thing2} and <wave> {adv}.
{Friend} <need> help with the {adj} {things}, so {n} <come> at once.
{n} <do> not know how to {act}, so {friend} <show> {him}.
{lead}it <be> time for a {food}, and {n} <sit> down {spot}.
{n} <look> up and <see> a {colour} bird {spot}.
A {colour} bird <sing> {spot}, and {n} <listen> to it {adv}.
{n} <take> the {toy} away and <bring> it to {friend}.
{n} <read> {friend} a {gadj} story about a {colour} {thing2} and a {pet}.
{lead}{n} <run> {adv3} with the {toy}, and {pet_name} <run> too.
{n} <sort> the {things} and <find> a {adj} {thing2} among them.
{n} <make> a {gadj} plan: first {he} <want> to {act}, and then rest {spot}.
The {toy} <roll> away, and {n} <find> it again {spot}.
{n} <stick> {colour} {things} on a {adj} piece of paper{tail}.
{lead}{n} and {friend} <+trade>: a {colour} {thing2} for a {adj} {thing2}.
{n} <shake> the {adj} box and <hear> the {things} inside.
{His} {family} <call>, but {n} <want> to {act} first.
{n} <close> {his} eyes, and {friend} <put> the {toy} {spot}.
{lead}{n} <pat> {pet_name} and <give> the {pet} a {adj} {thing2}.
"What is that?" {n} <think> and <look> at the {adj} {thing2} {spot}.
{n} <move> the {toy} a little closer to the {colour} {things}.
{n} <spot> a {colour} {bug} {spot}, and {pet_name} <follow> it {adv}.
{n} <measure> the {toy} with a {adj} rope, and it <be> {number} steps long.
{n} <use> the {toy} to {act4}, and {friend} <like> the idea.
"""

TALK = """
"{say}!" {n} <say> to {friend}.
"{say}," {n} <say> {adv2}.
{n} <say>, "{say}, {fvoc}!"
{n} <look> at {friend} and <say>, "{say}."
{Friend} <say>, "{say}, {n}!"
"{say}, {n}," {friend} <say> with a {gadj} voice.
"{question}?" {n} <ask>. {Friend} <answer>, "{say}."
{n} <ask>, "{question}?" and {friend} <say>, "Yes, {say2}!"
"{question}?" {friend} <ask>, and {n} <nod> {adv2}.
"Look, {pet_name} {petnow}!" {n} <say> to {friend}.
"{question}, {n}?" {friend} <ask> {adv2}.
"Thank you for the {food}, {fvoc}," {n} <say> {adv2}.
"Yes," {n} <say>, "{say2}, and then {say3}."
{n} <call>, "{fvoc}, {say2}!"
"No, {pet_name}, that is my {thing2}!" {n} <say> {adv2}.
"I have a {colour} {thing2} for you, {n}," {friend} <say>.
{n} <tell> {friend}, "The {toy} is {spot}, and {pet_name} {petnow}."
"First {say2}," {friend} <tell> {n}.
{n} <point> {spot} and <say>, "I can see a {adj} {thing2}!"
"How many {things} do you have?" {friend} <ask>. "I have {number}," {n} <say>.
"Come here, {pet_name}!" {n} <call>, and the {pet} {petact}.
"My {family} has a {toy} too," {friend} <say> to {n}.
{n} <whisper>, "{say}."
"{question}?" {n} <ask> {adv2}. "No, not now," {friend} <answer>, "{say2}."
"Oh, {n}, {say2}," {friend} <say> {adv2}.
"""

EVENT = """
{lead}the {toy} [happy=<begin> to shine like a {adj} star|sad=<break> into {number} {adj} pieces], and {n} <look> at it {adv2}.
{lead}{n} [happy=<find>|sad=<lose>] {his} {adj} {toy} {spot}.
{lead}{friend} [happy=<give> {n} a big hug|sad=<go> away without a word] and <leave> a {food} {spot}.
{lead}{pet_name} [happy=<come> back to|sad=<run> away from] {n} with a {adj} {thing2}.
{n} [happy=<win>|sad=<lose>] the {gadj} game {at}, and {friend} <see> it.
{lead}{friend} [happy=<like>|sad=<break>] the {adj} {thing2} that {n} <make>.
{n} [happy=<catch>|sad=<drop>] the {toy} right {spot}.
A {trait} {man} [happy=<bring> {n} a new|sad=<take> away the old] {colour} {thing2}.
{lead}{friend} <tell> {n} some [happy=good|sad=bad] news about the {colour} {thing2}.
The {food} [happy=<taste> sweet and good|sad=<fall> into the dirt], and {n} <look> at {pet_name}.
{n} [happy=<get> a gift|sad=<fall> down] {at}, and {friend} <come> {adv2} with a {adj} {thing2}.
{lead}[happy=everybody|sad=nobody] <want> to {act4} with {n}.
{Pet} [happy=<give> {n} a kiss|sad=<hurt> {its} leg] {spot}, and {friend} <see> it.
{lead}{n} <open> the {adj} box, and it <be> [happy=full of|sad=without any] {colour} {things}.
The {toy} <be> [happy=safe|sad=gone], and {n} <tell> {friend} about it.
{lead}{n} [happy=<make> a new friend|sad=<have> nobody to play with] {at}, even with a {adj} {thing2}.
[happy=A lovely surprise|sad=A sad thing] <happen> {at} that {time2}: the {toy} [happy=<be> back|sad=<be> lost].
{n} <try> to {act4} with {friend}, and it [happy=<go> very well|sad=<go> all wrong].
{lead}the {adj} tower of {things} [happy=<stand> tall and strong|sad=<fall> on the floor], and {n} <call> {friend}.
{n} <ask> to hold the {colour} {thing2}, and {friend} [happy=<say> yes and <smile>|sad=<say> no and <turn> away].
{lead}{pet_name} [happy=<find>|sad=<eat>] the {food} that {n} <want> to give to {friend}.
{n} [happy=<hear> a kind word|sad=<hear> a mean word] from a {trait} {man} {spot}.
{lead}{friend} [happy=<praise>|sad=<laugh> at] the {adj} {thing2} that {n} <make>.
{n} <look> for the {toy} {spot} and [happy=<see> it at last|sad=<do> not see it anywhere].
[happy=Good|sad=Bad] luck <come> to {n}: the {adj} {thing2} [happy=<be> as good as new|sad=<be> torn in two].
{lead}{friend} and {n} [happy=<+share>|sad=<+fight> over] the {toy} {spot}.
"""

MOOD = """
{n} <be> {feel}, and {he} {show}.
{S} <feel> {feel} because of the {adj} {toy}.
{n} {show} and {show2} {spot}.
It <make> {n} {feel2} to see the {colour} {things}.
{lead}{n} {show} {madv}.
{n} <hug> {pet_name} {madv}, and {friend} {show} too.
{Friend} <see> that {n} <be> {feel}.
"I am so [happy=happy|sad=sad], {fvoc}!" {n} <say> {madv}.
"I feel [happy=happy|sad=sad] about the {toy}," {n} <say>.
{n} <be> {feel} about the {toy} and {show}.
{n} and {friend} <+be> {feel3} about the {adj} {thing2}.
Because of {friend}, {n} <be> {feel} all {time2}.
{n} <think> about the {toy} {madv}.
{S} <have> a [happy=happy|sad=sad] face and {show} next to the {things}.
Never before <be> {n} so [happy=happy|sad=sad] about a {thing2}.
{lead}{he} <be> {feel}, and even the {pet} <look> [happy=happy|sad=sad].
What a [happy=happy|sad=sad] {time2} it <be> for {n} and {friend}!
[happy=A big smile|sad=A big tear] <be> on {his} face, and {n} {show}.
{n} {show} and <tell> {friend} about the {adj} {things}.
{S} <be> {feel} when {he} <see> the {colour} {thing2}.
{Friend} and {pet_name} <+see> the [happy=smile|sad=tears] of {n}.
{n} <have> [happy=a warm and happy|sad=a cold and sad] feeling about the {adj} {thing2}.
{lead}{n} <look> at {friend} {madv} and <hold> the {toy}.
{n} <say> that it <be> a {good} {time2}, and {he} {show}.
"This is [happy=the best|sad=the worst] day of all, {fvoc}," {n} <say> {madv}.
"""

ENDING = """
At the end of the day, {n} <be> {feel}.
At the end of the day, {n} <go> {home} with the {toy} and <be> {feel}.
It <be> a {good} day for {n}, {friend} and {pet_name}.
When it <get> dark, {n} <go> {home} and <dream> of {adj} {things}.
That night, {n} <sleep> next to {pet_name} and <dream> [happy=a happy dream|sad=a sad dream] about the {toy}.
In the end, {n} and {friend} <+go> {home} {madv}.
{n} <tell> {his} {family} about the {good} day {at}.
{n} <say> goodbye to {friend} {madv} and <take> the {toy} {home}.
"What a {good} day," {n} <say> and <hold> the {toy}.
And so the {good} day {at} <come> to an end for {n}.
From that day on, {n} always <keep> the {toy} {spot}.
{n} will never forget the {good} day with the {toy}.
At last {n} and {pet_name} <+go> {home}, and {friend} <wave> {madv}.
{n} <put> the {toy} {spot} and <go> {home} {madv}.
The day <be> over, and {n} <be> {feel} as {he} <walk> {home}.
Later {n} <write> about the {good} {time2} with {friend} in a {colour} book.
{n} and {friend} <+agree> to {act3} again some other {time}.
Then {n} and {friend} <+say> goodbye {madv} near the {adj} {things}.
At night, {n} <lie> in bed and <think> of {friend} {madv}.
{n} <give> {pet_name} a last {food} and <go> {home} {madv}.
All in all it <be> a {good} {time2} for {n} and {pet_name}.
{His} {family} <hug> {n}, because {he} <be> {feel}.
{n} <thank> {friend} {madv} and <put> the {toy} into {his} bag.
In {his} dream that night, {n} <see> the {toy} and a {colour} {thing2}.
{n} <fall> asleep {madv}, with the {toy} next to {pet_name}.
"""
