"""French sentence patterns, in the same slots and with the same story (hero, companion, animal, object, place) as the English.

`<past/present>` gives both tenses; `[m=...|f=...]` agrees with the hero, `{toy}` comes with its indefinite article and
`{the_toy}` with the definite one.
"""

OPENING = """
Il était une fois [m=un petit garçon|f=une petite fille] qui <s'appelait/s'appelle> {n}.
Il était une fois [m=un garçon très {trait}|f=une fille très {traitf}] qui <s'appelait/s'appelle> {n}.
{n} <était/est> [m=un petit garçon|f=une petite fille] très {trait12}.
Un jour, [m=un garçon|f=une fille] du nom de {n} <est arrivé[m=|f=e]/arrive> {at}.
Dans une maison {colourf}, <il y avait/il y a> [m=un petit garçon|f=une petite fille] du nom de {n}.
{n} <habitait/habite> dans une {adjf} maison avec {sa_famille}.
Dans un village, [m=un garçon|f=une fille] du nom de {n} <aimait/aime> {inf}.
Voici une histoire de {colours} {chosesx} et de [m=garçon|f=fille] : [m=le garçon|f=la fille] <s'appelait/s'appelle> {n}.
Il était une fois, dans une {adjf} maison, [m=un garçon|f=une fille] du nom de {n} qui <aimait/aime> {inf}.
Un {jour}, [m=un petit garçon|f=une petite fille] du nom de {n} <a vu/voit> {une_chose} {at}.
"""

HABIT = """
{S} <aimait/aime> beaucoup {inf}.
Chaque jour, {n} <voulait/veut> {inf}.
{S} <avait/a> toujours {une_chose} dans son sac.
{S} <aimait/aime> {inf} et {inf}.
Le {jour}, {n} <aimait/aime> {inf} {at}.
{S} <portait/porte> un chapeau {colourm} et {une_chose}.
{n} <savait/sait> très bien {inf}.
{S} <avait/a> {number} {choses} et {une_chose} à la maison.
Quand il <faisait/fait> {temps}, {n} <aimait/aime> {inf}.
{S} <parlait/parle> souvent de {une_chose} à {sa_famille}.
"""

SETTING = """
Un jour, {n} <est allé[m=|f=e]/va> {to} avec {friend}.
Un {jour}, {n} et {friend} <jouaient/jouent> {at}.
Il <faisait/fait> {temps}, et {n} <jouait/joue> {at} avec {friend}.
Le matin, {n} <a pris/prend> {une_chose} et <est allé[m=|f=e]/va> {to} avec {friend}.
{S} <a vu/voit> {friend} {at}.
{Friend} <attendait/attend> {n} {at} avec {une_chose}.
Un {jour}, {friend} <a invité/invite> {n} à {inf} {at}.
{n} <était/est> {at} et <attendait/attend> {friend} {spot}.
Un {jour}, {n} <a couru/court> {to}, et {friend} <a couru/court> aussi.
Il y <avait/a> {number} {choses} {at}, et {n} <a appelé/appelle> {friend}.
"""

ANIMAL = """
{S} <avait/a> un petit {pet} qui <s'appelait/s'appelle> {pet_name}.
Son {pet} {pet_name} <était/est> là aussi et {petdo}.
{n} <a emmené/emmène> {pet_name}, son {pet} {colourm}.
Il y <avait/a> aussi un {pet} {colourm} : {pet_name}, qui {petdo}.
{Friend} <avait/a> un gentil {pet} du nom de {pet_name}.
{pet_name} le {pet} {petdo}.
{n} <aimait/aime> {pet_name}, un {pet} {colourm} et très drôle.
Un {pet} {colourm} du nom de {pet_name} {petdo}.
Avec {friend}, il y <avait/a> un petit {pet} : {pet_name}.
{S} <jouait/joue> souvent avec un {pet} {colourm} qui <s'appelait/s'appelle> {pet_name}.
"""

FIND = """
{n} <a trouvé/trouve> {toy} {spot}.
{Friend} <a donné/donne> {toy} à {n}.
{S} <a vu/voit> {toy} {spot}.
Tout à coup, {n} <a vu/voit> {toy} {spot}.
{n} <avait/a> {toy} et <voulait/veut> jouer avec {friend}.
Dans une boîte, {n} <a trouvé/trouve> {toy} et {une_chose}.
{pet_name} <a apporté/apporte> {toy} à {n}.
{S} <a reçu/reçoit> {toy} et {food} de sa famille.
{n} <cherchait/cherche> {une_chose}, mais il y <avait/a> {toy} {spot}.
{friend} <cachait/cache> {toy} {spot}, et {n} <a trouvé/trouve> la cachette.
"""

BODY = """
{n} <a joué/joue> avec {the_toy} {spot}.
{n} <a mis/met> {the_toy} {spot}.
{lead}{n} <a montré/montre> {the_toy} à {friend}.
{lead}{n} <a mangé/mange> {food} avec {friend}.
{n} <a donné/donne> {food} à {pet_name}.
{Pet} {petdo}, et {n} <a regardé/regarde> {une_chose}.
{lead}{friend} <a dessiné/dessine> {une_chose} pour {n}.
{n} <a dessiné/dessine> {une_chose} et {une_chose}.
{lead}{n} <a voulu/veut> {inf}, mais {friend} <a voulu/veut> {inf}.
{n} <a caché/cache> {the_toy} {spot}, et {friend} <a cherché/cherche>.
{lead}{n} et {friend} <ont chanté/chantent> {spot}.
{lead}{n} <a aidé/aide> {friend} à porter {une_chose}.
{n} <a compté/compte> {number} {choses} {spot}.
{n} <a couru/court> {adv} vers {friend}.
{lead}{n} <a trouvé/trouve> {number} {choses} {spot}.
{n} <a regardé/regarde> {une_chose} {spot} {adv}.
{lead}{n} <a lavé/lave> {the_toy} {adv}.
{n} <a pris/prend> {the_toy} et {food}.
{Pet} {petdo} et {petdo}.
{n} <a parlé/parle> {adv} à {pet_name} {spot}.
{n} et {friend} <ont construit/construisent> une {adjf} maison avec {number} {choses}.
{n} <a appris/apprend> à {inf}.
{lead}{n} <a rempli/remplit> une boîte avec {number} {choses}.
{n} <a chanté/chante> {adv} et {friend} <a dansé/danse> {spot}.
{lead}{n} <a lancé/lance> {the_toy} à {friend}.
{n} <a raconté/raconte> à {friend} une histoire avec un {pet} et {une_chose}.
{Friend} <avait/a> {une_chose}, et {n} <avait/a> {the_toy}.
{lead}{n} <a échangé/échange> {une_chose} contre {une_chose}.
{n} <a posé/pose> {food} {spot}, et {pet_name} <a tout mangé/mange tout>.
{lead}{friend} <a demandé/demande> à {n} de {inf_c}.
{n} <a ouvert/ouvre> la porte {adv} et <a vu/voit> {une_chose}.
{S} <a caressé/caresse> {pet_name} et <a regardé/regarde> {number} {choses}.
"""

TALK = """
« {dire} ! » <a dit/dit> {n} à {friend}.
« {dire}, {n} », <a dit/dit> {friend}.
{n} <a demandé/demande> : « {question} ? »
{n} <a dit/dit> : « {dire} ! »
« {question} ? » <a demandé/demande> {friend} {adv}.
« Merci pour {une_chose} », <a dit/dit> {n} {adv}.
« Regarde, {n}, {une_chose} ! » <a dit/dit> {friend} {adv}.
{n} <a répondu/répond> : « {dire}, et après on peut {inf}. »
« Viens, {pet_name} ! » <a dit/dit> {n}, et le {pet} {petdo}.
« {dire} », <a répondu/répond> {n} {adv}.
"""

EVENT = """
{lead}{n} [happy=<a trouvé/trouve>|sad=<a perdu/perd>] {the_toy} {spot}.
{lead}{n} [happy=<a gagné/gagne>|sad=<a perdu/perd>] le jeu contre {friend}.
{lead}{pet_name} [happy=<est revenu/revient>|sad=<est parti/part>] avec {une_chose}.
{Friend} [happy=<a réparé/répare>|sad=<a cassé/casse>] {the_toy}, et {n} <a vu/voit> cela.
{lead}[happy=tout le monde|sad=personne ne] <voulait/veut> jouer avec {n} {at}.
{lead}{friend} <a apporté/apporte> une [happy=bonne|sad=mauvaise] nouvelle à {n}.
{n} [happy=<a reçu/reçoit> une belle surprise|sad=<est tombé[m=|f=e]/tombe>] {spot}, et {friend} <a vu/voit> cela.
{lead}le cadeau de {n} <était/est> [happy=très beau|sad=en morceaux], et {n} <a appelé/appelle> {friend}.
{friend} [happy=<aimait/aime>|sad=<n'aimait pas/n'aime pas>] jouer avec {n} et {une_chose}.
"""

MOOD = """
{n} <était/est> très [happy=[m=heureux|f=heureuse]|sad=triste].
{n} <était/est> [happy=[m=content|f=contente]|sad=triste] et [happy=<a ri/rit>|sad=<a pleuré/pleure>] {spot}.
{n} [happy=<a souri/sourit>|sad=<a pleuré/pleure>] avec {pet_name} {spot}.
{S} [happy=<a ri/rit>|sad=<a pleuré/pleure>] {adv} avec {friend}.
« Je suis [happy=[m=heureux|f=heureuse]|sad=triste], {n2} », <a dit/dit> {n}.
{n} et {friend} <étaient/sont> de [happy=bonne|sad=mauvaise] humeur à cause de {une_chose}.
{n} <a fait/fait> [happy=un grand sourire|sad=un long soupir] {spot}.
Quelle [happy=joie|sad=tristesse] pour {n} et {friend} {at} !
{n} <a pensé/pense> [happy=avec joie|sad=avec tristesse] à {the_toy} et à {pet_name}.
{n} <a regardé/regarde> {friend} avec [happy=un sourire|sad=des larmes] et {une_chose} dans la main.
"""

ENDING = """
À la fin de la journée, {n} <était/est> [happy=très [m=heureux|f=heureuse]|sad=très triste].
Le soir, {n} <est rentré[m=|f=e]/rentre> à la maison avec {the_toy}.
C'<était/est> une [happy=belle|sad=triste] journée pour {n} et {friend}.
La nuit, {n} <a rêvé/rêve> de {pet_name} et <a dormi/dort> bien.
{n} <a dit/dit> au revoir à {friend} et <a gardé/garde> {the_toy}.
Et {pet_name} <a dormi/dort> {spot} à côté de {n}.
Le soir, {n} <a parlé/parle> à {sa_famille} de cette [happy=belle|sad=triste] journée.
{n} et {friend} <ont mangé/mangent> {food} et <ont parlé/parlent> de {une_chose}.
Puis {n} <a mis/met> {the_toy} {spot} et <a dormi/dort> près de {pet_name}.
Enfin, {pet_name} et {n} <ont dormi/dorment> [happy=avec un sourire|sad=avec tristesse] {spot}.
"""

FILLERS = {
    "trait": "gentil|curieux|courageux|drôle|calme|timide|poli|sage",
    "traitf": "gentille|curieuse|courageuse|drôle|calme|timide|polie|sage",
    "trait12": "[m=gentil|f=gentille]|[m=curieux|f=curieuse]|drôle|calme|[m=poli|f=polie]|sage|timide",
    "sa_famille": "sa mère|son père|sa sœur|son frère|sa grand-mère|son grand-père|sa tante",
    "inf": """jouer avec {une_chose}|chanter une chanson|dessiner {une_chose}|courir {adv}|danser {spot}|manger {food}|
        lire un livre {spot}|sauter {adv}|compter {number} {choses}|chercher {une_chose}|marcher {adv}|jouer avec {friend}|
        parler avec {friend}|caresser le {pet}|raconter une histoire""",
    "adv": "doucement|vite|lentement|sans bruit|longtemps|avec soin|encore|un peu",
    "jour": "matin|lundi|mardi|samedi|dimanche|soir",
    "temps": "beau|froid|chaud|gris|bon|frais",
    "food": "une pomme|un gâteau|une poire|du pain|une carotte|un biscuit|du fromage|une banane|une pêche|une crêpe",
    "number": "deux|trois|quatre|cinq|six|sept|huit|neuf|dix",
    "choses": """fleurs {colourfs}|feuilles {colourfs}|boîtes {colourfs}|plumes {colourfs}|billes {colourfs}|
        livres|bâtons|crayons|coquillages|cailloux""",
    "chosesx": "fleurs|plumes|billes|feuilles",
    "colours": "belles|jolies|petites|grandes",
    "colourfs": "rouges|bleues|vertes|jaunes|blanches|noires|roses|grises",
    "colourf": "rouge|bleue|verte|jaune|blanche|noire|rose|grise",
    "colourm": "rouge|bleu|vert|jaune|blanc|noir|brun|gris",
    "adjf": "petite|grande|belle|vieille|jolie|nouvelle",
    "spot": """[in=sous la table|out=sous un arbre]|[in=derrière la porte|out=derrière un rocher]|[in=près du lit|out=près de l'eau]|
        [in=sur le tapis|out=sur l'herbe]|[in=devant la fenêtre|out=devant la barrière]|[in=sur une chaise|out=sur un rocher]|
        [in=dans un coin|out=dans le sable]|[in=à côté de la lampe|out=à côté des fleurs]""",
    "petdo": """<a couru/court> vers {n}|<a dormi/dort> {spot}|<a sauté/saute> {spot}|<a [dog=aboyé|cat=miaulé]/[dog=aboie|cat=miaule]> doucement|
        <a joué/joue> avec {une_chose}|<a suivi/suit> {friend}|<a mangé/mange> {food}|<a regardé/regarde> {n}|<a cherché/cherche> {food}""",
    "lead": "Puis |Ensuite, |Après cela, |Bientôt, |Plus tard, |Alors |Tout à coup, |Un peu plus tard, |Enfin, |",
    "dire": """J'aime {une_chose}|Viens avec moi|Regarde {the_toy}|Je veux {inf}|C'est {une_chose}|On peut {inf}|Je vois {une_chose}|
        Le {pet} est très drôle|Tu es mon ami|Attends un peu""",
    "question": """Tu veux {food}|On peut {inf}|Tu veux {inf}|Où est le {pet}|Tu aimes {inf}|Qui a {une_chose}""",
    "inf_c": "jouer avec {une_chose}|chanter une chanson|dessiner {une_chose}|courir {adv}|manger {food}|lire un livre|sauter {adv}|compter {number} {choses}|chercher {une_chose}",
    "n2": "maman|papa|mon ami|mon petit {pet}",
}
