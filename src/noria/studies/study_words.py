"""What the report of a study says besides its conclusions, in English and Spanish."""

from noria.reports.prose import Sentences

BOTH: Sentences = {
    "so_many": ("{0} of {1} variants", "{0} de {1} variantes"),
    "over_seeds": ("{0} seeds", "{0} semillas"),
    "over_one": ("one seed", "una semilla"),
    "beaten": ("beaten by {0}", "superada por {0}"),
    "beaten_within": (
        "better in the mean, but within the spread: {0}",
        "mejor de media, pero dentro de la dispersión: {0}",
    ),
    "beaten_unjudged": (
        "better, but with no spread to judge by: {0}",
        "mejor, pero sin dispersión con que juzgar: {0}",
    ),
    "unbeaten": ("beaten by none", "no la supera ninguna"),
    "back_one": ("1 step back", "1 paso atrás"),
    "back_many": ("{0} steps back", "{0} pasos atrás"),
}
"""What both the conclusions and the other parts say."""

WORDS: Sentences = {
    "title": ("Comparison: {0}", "Comparación: {0}"),
    "title_many": ("Comparison of {0} variants: {1}", "Comparación de {0} variantes: {1}"),
    # the first screen
    "best": ("Best mean", "Mejor media"),
    "best_is": (
        "{0}: {1} {2} on the test part (mean of {3}; {4})",
        "{0}: {1} {2} en la parte de prueba (media de {3}; {4})",
    ),
    "higher": ("higher is better", "más alto es mejor"),
    "lower": ("lower is better", "más bajo es mejor"),
    "by": ("By how much", "Por cuánto"),
    "by_is": (
        "{0} better than {1}, the next (joint 95 % interval of the paired differences: {2} to {3})",
        "{0} mejor que {1}, la siguiente (intervalo conjunto del 95 % de las diferencias por pares: de {2} a "
        "{3})",
    ),
    "by_plain": ("{0} better than {1}, the next", "{0} mejor que {1}, la siguiente"),
    "spread": ("Beyond the spread?", "¿Más que la dispersión?"),
    "yes": (
        "yes, against every other variant; the standard deviation of {1} over its seeds is {0}",
        "sí, frente a todas las demás; la desviación típica de {1} entre sus semillas es {0}",
    ),
    "no": (
        "no, not against {0}: the interval of the difference holds zero; the standard deviation of {2} over "
        "its seeds is {1}",
        "no frente a {0}: el intervalo de la diferencia contiene el cero; la desviación típica de {2} entre "
        "sus semillas es {1}",
    ),
    "unknown": (
        "not known: there is no spread to judge by, as one seed has none",
        "no se sabe: no hay dispersión con que juzgar, como no la tiene una sola semilla",
    ),
    "baseline": ("The figure to beat", "La cifra que superar"),
    "baseline_is": ("{0}: {1}; {2}", "{0}: {1}; {2}"),
    "cost": ("What it cost", "Qué costó"),
    "costs": (
        "{0}: {1} and {2} MB for each run, {3} tokens a second, {4} parameters; all {5} runs together {6}",
        "{0}: {1} y {2} MB por ejecución, {3} símbolos por segundo, {4} parámetros; las {5} ejecuciones "
        "juntas, {6}",
    ),
    # sections
    "conclusions": ("Conclusions", "Conclusiones"),
    "variants": ("Variants", "Variantes"),
    "pairs": ("Differences, paired by seed", "Diferencias, por pares de semillas"),
    "learning": ("Learning curves", "Curvas de aprendizaje"),
    "gradients": ("How far the gradient reaches", "Hasta dónde llega el gradiente"),
    "gates": ("Gates and states", "Puertas y estados"),
    "samples": ("What they write", "Lo que escriben"),
    "what": ("What was compared", "Qué se comparó"),
    "trouble": ("What did not end well", "Lo que no terminó bien"),
    "made_with": ("Made with", "Hecho con"),
    "references": ("References", "Referencias"),
    # tables
    "quality_caption": (
        "{0} on the test part, which nothing was chosen on, over the seeds.",
        "{0} en la parte de prueba, con la que no se eligió nada, sobre las semillas.",
    ),
    "ends_caption": (
        "At the end of the curves, mean over the seeds.",
        "Al final de las curvas, media sobre las semillas.",
    ),
    "cost_caption": (
        "What each run took, mean over the seeds; from how many steps back on less than a tenth and a "
        "thousandth of the gradient is left.",
        "Lo que tomó cada ejecución, media sobre las semillas; desde cuántos pasos atrás queda menos de un "
        "décimo y de un milésimo del gradiente.",
    ),
    "variant": ("variant", "variante"),
    "mean": ("mean", "media"),
    "deviation": ("spread", "dispersión"),
    "interval": ("95 % interval", "intervalo 95 %"),
    "train_loss": ("train loss", "pérdida entren."),
    "validation_loss": ("valid. loss", "pérdida valid."),
    "train_metric": ("train {0}", "{0} entren."),
    "validation_metric": ("valid. {0}", "{0} valid."),
    "parameters": ("parameters", "parámetros"),
    "steps": ("steps", "pasos"),
    "time": ("time", "tiempo"),
    "speed": ("tokens/s", "símbolos/s"),
    "peak": ("peak MB", "MB máx."),
    "tenth_of": ("1/10 from", "1/10 desde"),
    "thousandth_of": ("1/1000 from", "1/1000 desde"),
    "runs": ("runs", "ejec."),
    "pairs_caption": (
        "Differences of {0}, the first less the second, with the same seed.",
        "Diferencias de {0}, la primera menos la segunda, con la misma semilla.",
    ),
    "pairs_note": (
        "The intervals hold together with 95 % (Bonferroni over the pairs). A difference is claimed only "
        "where its interval leaves zero out.",
        "Los intervalos valen en conjunto con un 95 % (Bonferroni sobre los pares). Solo se afirma una "
        "diferencia si su intervalo deja fuera el cero.",
    ),
    "pair": ("pair", "par"),
    "difference": ("difference", "diferencia"),
    "pair_interval": ("interval", "intervalo"),
    "seeds": ("seeds", "semillas"),
    "verdict": ("verdict", "veredicto"),
    "better": ("the first is better", "la primera es mejor"),
    "worse": ("the second is better", "la segunda es mejor"),
    "no difference": ("no difference seen", "no se vio diferencia"),
    # figures
    "points_caption": (
        "{0} of every seed on the test part, with the mean and its 95 % interval; dotted: the figure to "
        "beat.",
        "{0} de cada semilla en la parte de prueba, con la media y su intervalo del 95 %; punteada: la cifra "
        "que superar.",
    ),
    "points_alt": ("Points by variant. Means: {0}.", "Puntos por variante. Medias: {0}."),
    "curves_caption": (
        "{0} over the steps, on the training part (left) and on the validation part (right): mean of the "
        "seeds, shaded between the lowest and the highest.",
        "{0} a lo largo de los pasos, en la parte de entrenamiento (izquierda) y en la de validación "
        "(derecha): media de las semillas, sombreada entre la más baja y la más alta.",
    ),
    "curves_alt": (
        "Learning curves of {0} variants. Validation loss at the end: {1}.",
        "Curvas de aprendizaje de {0} variantes. Pérdida de validación al final: {1}.",
    ),
    "unmeasured": ("measured on validation only", "medida solo en validación"),
    "reach_caption": (
        "Norm of the gradient of the loss in the state at each earlier step, relative to that at distance 0, "
        "on a logarithmic scale; mean of the seeds.",
        "Norma del gradiente de la pérdida en el estado de cada paso anterior, relativa a la de distancia 0, "
        "en escala logarítmica; media de las semillas.",
    ),
    "reach_alt": (
        "Curves that fall with the distance. A tenth is left up to: {0}.",
        "Curvas que bajan con la distancia. Queda un décimo hasta: {0}.",
    ),
    "step": ("step", "paso"),
    "loss": ("loss", "pérdida"),
    "train": ("training", "entrenamiento"),
    "validation": ("validation", "validación"),
    "on_test": ("{0}, test part", "{0}, parte de prueba"),
    "back": ("steps back from where the loss is taken", "pasos atrás desde donde se toma la pérdida"),
    "norm": ("norm of dL/d state, relative", "norma de dL/d estado, relativa"),
    "tenth": ("a tenth", "un décimo"),
    "thousandth": ("a thousandth", "un milésimo"),
    "gates_note": (
        "What each variant computes while it reads an input of the validation part (of a series: its end; "
        "without validation: of the training part), with the weights that were kept, of its first run that "
        "ended well.",
        "Lo que calcula cada variante al leer una entrada de la parte de validación (de una serie: su final; "
        "sin validación: de la parte de entrenamiento), con los pesos que quedaron de su primera ejecución "
        "que terminó bien.",
    ),
    "gates_some": (
        "Of {1} variants the {0} with the best means are shown.",
        "De {1} variantes se muestran las {0} con mejores medias.",
    ),
    "gates_first": (
        "Of {1} variants the first {0} are shown.",
        "De {1} variantes se muestran las primeras {0}.",
    ),
    "gates_damaged": (
        "{0}: what was kept of its gates and states cannot be read, and is left out: {1}",
        "{0}: lo que se guardó de sus puertas y estados no se puede leer y se omite: {1}",
    ),
    "no_sample": (
        "{0}, seed {1}: what it writes is not known: {2}",
        "{0}, semilla {1}: no se sabe qué escribe: {2}",
    ),
    "no_gradient": (
        "{0}, seed {1}: how far its gradient reaches is not known: {2}",
        "{0}, semilla {1}: no se sabe hasta dónde llega su gradiente: {2}",
    ),
    "no_gates": (
        "{0}, seed {1}: what its gates and states do is not known: {2}",
        "{0}, semilla {1}: no se sabe qué hacen sus puertas y estados: {2}",
    ),
    "samples_note": (
        "Each model wrote from the same seed, with the weights that were kept, of its first run that ended "
        "well; nothing was selected.",
        "Cada modelo escribió desde la misma semilla, con los pesos que quedaron de su primera ejecución que "
        "terminó bien; no se seleccionó nada.",
    ),
    # what was compared
    "task": ("task", "tarea"),
    "data": ("data", "datos"),
    "of_minutes": ("{0} minutes", "{0} minutos"),
    "of_epochs": ("{0} passes", "{0} pasadas"),
    "of_steps": ("{0} steps", "{0} pasos"),
    "budget": ("budget of each run", "presupuesto de cada ejecución"),
    "options": ("options of all", "opciones de todas"),
    "reason": ("why", "por qué"),
    "options_caption": ("In what the variants differ.", "En qué difieren las variantes."),
    "side_by_side": ("Runs", "Ejecuciones"),
    "one_thread": (
        "in processes of their own, one thread each",
        "en procesos propios, un hilo cada una",
    ),
}
