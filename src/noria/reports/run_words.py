"""What the report of a run says, in English and Spanish."""

from noria.reports.prose import Sentences

RUN_WORDS: Sentences = {
    "title": ("{0}: {1} on {2}", "{0}: {1} sobre {2}"),
    "text": ("Language model", "Modelo de lenguaje"),
    "classify": ("Classifier", "Clasificador"),
    "regress": ("Regressor", "Regresor"),
    "tag": ("Tagger", "Etiquetador"),
    "forecast": ("Forecaster", "Pronosticador"),
    "translate": ("Translator", "Traductor"),
    "no_cell": ("a network without recurrence", "una red sin recurrencia"),
    # what came out
    "test_part": ("test", "prueba"),
    "validation_part": ("validation", "validación"),
    "beats": (
        "{0} {1} on the {2} part: better than the figure to beat, {4} ({3}).",
        "{0} {1} en la parte de {2}: mejor que la cifra que hay que superar, {4} ({3}).",
    ),
    "misses": (
        "{0} {1} on the {2} part: not better than the figure to beat, {4} ({3}).",
        "{0} {1} en la parte de {2}: no mejor que la cifra que hay que superar, {4} ({3}).",
    ),
    "equals": (
        "{0} {1} on the {2} part: as good as the figure to beat, {4} ({3}), and no better.",
        "{0} {1} en la parte de {2}: igual que la cifra que hay que superar, {4} ({3}), y no mejor.",
    ),
    "no_baseline": (
        "{0} {1} on the {2} part; there is no figure to beat beside it.",
        "{0} {1} en la parte de {2}; no hay una cifra que superar a su lado.",
    ),
    "no_figures": (
        "Nothing was measured yet: the run stopped before its first evaluation.",
        "Aún no se midió nada: la ejecución paró antes de su primera evaluación.",
    ),
    "chosen_on": (
        "There is no figure of a test part here: the weights were chosen on the validation part, so that its "
        "figure is too good.",
        "Aquí no hay cifra de una parte de prueba: los pesos se eligieron con la de validación, así que su "
        "cifra es demasiado buena.",
    ),
    "unfinished": (
        "{0} of {1} planned steps were made: the run can go on.",
        "Se hicieron {0} de {1} pasos previstos: la ejecución puede seguir.",
    ),
    "test": ("On the test part", "En la parte de prueba"),
    "validation": ("On the validation part", "En la parte de validación"),
    "baseline": ("The figure to beat", "La cifra que superar"),
    "by": ("By how much", "Por cuánto"),
    "better_by": ("better by {0}", "mejor por {0}"),
    "worse_by": ("worse by {0}", "peor por {0}"),
    "level": ("as good: the difference is 0", "igual: la diferencia es 0"),
    "spread": ("Beyond chance?", "¿Más que azar?"),
    "one_run": (
        "One run has no spread. Over seeds: {0}",
        "Una sola ejecución no tiene dispersión. Con varias semillas: {0}",
    ),
    "one_run_plain": (
        "One run has no spread: the same one with other seeds (--seed, seed=) gives one.",
        "Una sola ejecución no tiene dispersión: la da la misma con otras semillas (--seed, seed=).",
    ),
    "fit": ("Over-fitting", "Sobreajuste"),
    "cost": ("What it cost", "Qué costó"),
    "costs": (
        "{0} steps in {1} ({2} tokens, {3} a second); {4} parameters, best after step {5}",
        "{0} pasos en {1} ({2} símbolos, {3} por segundo); {4} parámetros, mejor tras el paso {5}",
    ),
    "again": ("Again", "Otra vez"),
    "see_below": ("the command below makes the same run", "la orden de abajo hace la misma ejecución"),
    "from_python": (
        "The data were handed over in Python or on standard input, so that no command reads them again: same "
        "data, same options, steps={0}, seed={1}.",
        "Los datos se entregaron en Python o por la entrada estándar y ninguna orden los vuelve a leer: "
        "mismos datos, mismas opciones, steps={0}, seed={1}.",
    ),
    # sections
    "learning": ("Learning curves", "Curvas de aprendizaje"),
    "results": ("Figures", "Cifras"),
    "answers": ("What it answers", "Qué responde"),
    "inside": ("Looking inside", "Por dentro"),
    "made_of": ("What was trained, and on what", "Qué se entrenó, y con qué"),
    "go_on": ("Going on", "Para seguir"),
    "made_with": ("Made with", "Hecho con"),
    "references": ("References", "Referencias"),
    # curves
    "step": ("step", "paso"),
    "loss": ("loss", "pérdida"),
    "train": ("training", "entrenamiento"),
    "kept": ("weights that were kept", "pesos que quedaron"),
    "to_beat": ("figure to beat (test)", "cifra que superar (prueba)"),
    "curves_caption": ("{0} while it learnt.", "{0} durante el aprendizaje."),
    "not_on_train": (
        "While it learns, {0} is measured on the validation part only.",
        "Durante el aprendizaje, {0} se mide solo en la parte de validación.",
    ),
    "curves_alt": (
        "Two curves over {0} steps: the training loss goes from {1} to {2}, the validation loss from {3} to "
        "{4}.",
        "Dos curvas sobre {0} pasos: la pérdida de entrenamiento va de {1} a {2}, la de validación de {3} a "
        "{4}.",
    ),
    "curves_alt_metric": (
        "{0} goes from {1} to {2} on the training part, and from {3} to {4} on the validation part.",
        "{0} va de {1} a {2} en la parte de entrenamiento, y de {3} a {4} en la de validación.",
    ),
    "no_curve": (
        "The run has no log of evaluations, so that no curve can be drawn.",
        "La ejecución no tiene registro de evaluaciones; no se puede dibujar ninguna curva.",
    ),
    # tables
    "figures_caption": ("Figures of the weights that were kept.", "Cifras de los pesos que quedaron."),
    "figure": ("figure", "cifra"),
    "part_test": ("test", "prueba"),
    "part_validation": ("validation", "validación"),
    "part_train": ("training (sample)", "entrenamiento (muestra)"),
    "classes_caption": ("Each class on the test part.", "Cada clase en la parte de prueba."),
    "class": ("class", "clase"),
    "precision": ("precision", "precisión"),
    "recall": ("recall", "cobertura"),
    "f1": ("F1", "F1"),
    "sequences": ("sequences", "secuencias"),
    "worst": ("The {0} classes with the lowest F1 of {1}.", "Las {0} clases con la F1 más baja, de {1}."),
    "confusion_caption": (
        "How often each class (a line) was taken for each (a column) on the test part: counts, coloured by "
        "the share of the line, light for many.",
        "Cuántas veces cada clase (fila) se tomó por cada una (columna) en la parte de prueba: cuentas, con "
        "el color según la proporción de la fila, claro si es alta.",
    ),
    "confusion_alt": (
        "Matrix of {0} classes; {1} of {2} sequences lie on the diagonal. Most frequent confusion: {3} taken "
        "for {4}, {5} times.",
        "Matriz de {0} clases; {1} de {2} secuencias están en la diagonal. Confusión más frecuente: {3} "
        "tomada por {4}, {5} veces.",
    ),
    "confusion_none": (
        "Matrix of {0} classes; all {2} sequences lie on the diagonal.",
        "Matriz de {0} clases; las {2} secuencias están en la diagonal.",
    ),
    "true": ("true", "verdadera"),
    "told": ("told", "respondida"),
    "share": ("share of the line", "proporción de la fila"),
    "attended_caption": (
        "Symbols that attention rests on, for each class that is told: share of attention, where 1 is an "
        "even share.",
        "Símbolos en que reposa la atención, por clase respondida: parte de la atención, 1 es un reparto "
        "igual.",
    ),
    "symbols": ("symbols", "símbolos"),
    "horizons_caption": (
        "RMSE of each step ahead on the test part, beside what simple rules say.",
        "RMSE de cada paso hacia delante en la parte de prueba, junto a lo que dicen reglas sencillas.",
    ),
    "horizons_alt": (
        "From step 1 to step {0} the RMSE of the model goes from {1} to {2}; that of {3}, the best rule, "
        "from {4} to {5}.",
        "Del paso 1 al paso {0} la RMSE del modelo va de {1} a {2}; la de {3}, la mejor regla, de {4} a {5}.",
    ),
    "rules_caption": (
        "Errors over all steps ahead on the test part.",
        "Errores sobre todos los pasos hacia delante en la parte de prueba.",
    ),
    "who": ("who", "quién"),
    "model": ("this model", "este modelo"),
    "ahead": ("steps ahead", "pasos hacia delante"),
    "error": ("RMSE", "RMSE"),
    "forecast_caption": (
        "The end of the series {0} and what is forecast behind it; shaded or barred: the {1} % interval.",
        "El final de la serie {0} y lo que se pronostica después; sombreado o con barra: el intervalo del "
        "{1} %.",
    ),
    "forecast_alt": (
        "After a last value of {0} the forecasts are {1}.",
        "Tras un último valor de {0} los pronósticos son {1}.",
    ),
    "steps_from_end": ("steps from the last that is known", "pasos desde el último conocido"),
    "value": ("value", "valor"),
    "observed": ("observed", "observado"),
    "forecasted": ("forecast", "pronóstico"),
    "interval": ("interval", "intervalo"),
    "thirds_caption": (
        "Exact answers on the test part, by thirds of the length of the source.",
        "Respuestas exactas en la parte de prueba, por tercios de la longitud de la entrada.",
    ),
    "bars_alt": ("Bars: {0}.", "Barras: {0}."),
    "sample_step": ("step {0}", "paso {0}"),
    "sample_now": ("the weights that were kept", "los pesos que quedaron"),
    # inside
    "input": ("What is read: {0}.", "Qué se lee: {0}."),
    "own_text": ("what the model itself wrote", "lo que escribió el propio modelo"),
    "gradient_caption": (
        "Norm of the gradient of the loss in the state at each earlier step, relative to that at distance 0, "
        "on a logarithmic scale: how far back a mistake can still teach anything.",
        "Norma del gradiente de la pérdida en el estado de cada paso anterior, relativa a la de distancia 0, "
        "en escala logarítmica: hasta qué distancia un error puede aún enseñar algo.",
    ),
    "gradient_alt": (
        "Curves over {0} steps back. {1} falls to {2} of its norm at distance 0.",
        "Curvas sobre {0} pasos hacia atrás. {1} baja a {2} de su norma en la distancia 0.",
    ),
    "reach_caption": (
        "From how many steps back on the gradient stays below a share of its norm at distance 0.",
        "Desde cuántos pasos atrás el gradiente queda por debajo de una parte de su norma en la distancia 0.",
    ),
    "state": ("state", "estado"),
    "tenth": ("below a tenth", "bajo un décimo"),
    "thousandth": ("below a thousandth", "bajo un milésimo"),
    "beyond": ("beyond {0}", "más allá de {0}"),
    "answers_caption": (
        "The likeliest answers after each step, the first on top, light where the model is sure; framed: "
        "what came.",
        "Las respuestas más probables tras cada paso, la primera arriba, claro donde el modelo está seguro; "
        "enmarcado: lo que vino.",
    ),
    "answers_alt": (
        "The likeliest answer was the one that came at {0} of {1} positions.",
        "La respuesta más probable fue la que vino en {0} de {1} posiciones.",
    ),
    "answers_alt_plain": (
        "Answers at {0} positions, with their probabilities.",
        "Respuestas en {0} posiciones, con sus probabilidades.",
    ),
    "attention_caption": (
        "Where each step (a line) looked (columns): weights of {0}, light where it looked most.",
        "A dónde miró cada paso (fila) entre las columnas: pesos de {0}, claro donde miró más.",
    ),
    "attention_alt": (
        "Map of {0} by {1} weights; the largest is {2}.",
        "Mapa de {0} por {1} pesos; el mayor es {2}.",
    ),
    "not_inside": (
        "Gates and gradients are drawn of an input: noria report {0} --data {1}.",
        "Puertas y gradientes se dibujan sobre una entrada: noria report {0} --data {1}.",
    ),
    # what was trained
    "data": ("Data", "Datos"),
    "network": ("Network", "Red"),
    "layers_caption": ("Layers, from the input upwards.", "Capas, de la entrada hacia arriba."),
    "layer": ("layer", "capa"),
    "kind": ("kind", "tipo"),
    "output": ("output", "salida"),
    "parameters": ("parameters", "parámetros"),
    "network_caption": (
        "The network, unrolled in time: layers with their parameters on the left, shapes on the right.",
        "La red, desplegada en el tiempo: a la izquierda las capas con sus parámetros, a la derecha las "
        "formas.",
    ),
    "network_alt": (
        "Diagram of the layers {0}, the same weights at every step.",
        "Diagrama de las capas {0}, con los mismos pesos en cada paso.",
    ),
    "options_caption": (
        "Options that are not at their defaults.",
        "Opciones que no tienen su valor por defecto.",
    ),
    "option": ("option", "opción"),
    "numbers": ("numbers of type {0}, engine {1}", "números de tipo {0}, motor {1}"),
    "trained_with": ("Trained with", "Entrenado con"),
    "threads": ("Noria {0}, {1} thread(s), seed {2}", "Noria {0}, {1} hilo(s), semilla {2}"),
}

BASELINES: Sentences = {
    "logistic regression on": ("logistic regression on", "regresión logística sobre"),
    "linear regression on": ("linear regression on", "regresión lineal sobre"),
    "means and spreads": ("means and spreads", "medias y dispersiones"),
    "a bag of characters": ("a bag of characters", "una bolsa de caracteres"),
    "a bag of words": ("a bag of words", "una bolsa de palabras"),
    "a bag of subwords": ("a bag of subwords", "una bolsa de subpalabras"),
    "a bag of symbols": ("a bag of symbols", "una bolsa de símbolos"),
    "most frequent tag per word": ("most frequent tag per word", "etiqueta más frecuente de cada palabra"),
    "nearest source": ("nearest source", "entrada más cercana"),
    "source as it is": ("source as it is", "la entrada tal cual"),
    "commonest target": ("commonest target", "la salida más común"),
    "seasonal naive": ("seasonal naive", "ingenuo estacional"),
    "persistence": ("persistence", "persistencia"),
    "drift": ("drift", "deriva"),
}
"""Pieces of the names of baselines."""


def baseline_name(name: str, language: str) -> str:
    """Name a baseline."""
    for english, both in BASELINES.items():
        name = name.replace(english, both[language == "es"])
    return name
