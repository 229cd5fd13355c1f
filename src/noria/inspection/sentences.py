"""What a check of somebody's code says, in English and Spanish: one table of sentences.

``{0}``, ``{1}``, ... are the words that a cause names: gates, states, parameters. They are the same in every
language.
"""

from collections.abc import Sequence

LANGUAGES = ("en", "es")

SENTENCES: dict[str, tuple[str, str]] = {
    # the gradient of the outputs
    "outputs_ignored": (
        "the gradient of the outputs, d_h, is never added: the backward starts from the gradient of the "
        "state after the last step alone, which is zero, so that nothing recurrent learns",
        "el gradiente de las salidas, d_h, no se suma nunca: el paso hacia atrás parte solo del gradiente "
        "del estado posterior al último paso, que es cero, y nada recurrente aprende",
    ),
    "only_last_output": (
        "only the last step's d_h is used, d_h[-1]; every step's has to be added to the gradient of its "
        "state",
        "solo se usa el d_h del último paso, d_h[-1]; hay que sumar el de cada paso al gradiente de su "
        "estado",
    ),
    "outputs_shifted": (
        "d_h is read one step off: step t takes the gradient of its neighbour's output",
        "d_h se lee con un paso de desfase: el paso t toma el gradiente de la salida vecina",
    ),
    # the way back through time
    "recurrence_missing": (
        "the gradient of {0} is not handed to the step before: every step is treated as if it were the last",
        "el gradiente de {0} no se pasa al paso anterior: cada paso se trata como si fuera el último",
    ),
    "carry_missing": (
        "the path through the carry is missing: in {2} the old {0} is carried over directly, so that {1} * "
        "d has to be added to its gradient",
        "falta el camino del arrastre: en {2} el {0} anterior pasa directamente, así que hay que sumar {1} "
        "* d a su gradiente",
    ),
    "output_path_missing": (
        "the path through the output is missing: {0} also reaches the loss by way of {1}, and that part has"
        " to be added to its gradient",
        "falta el camino de la salida: {0} llega a la pérdida también a través de {1}, y esa parte debe "
        "sumarse a su gradiente",
    ),
    "products_missing": (
        "no gradient goes back to {0} through the matrices of the gates (U.T @ d of each)",
        "ningún gradiente vuelve a {0} a través de las matrices de las puertas (U.T @ d de cada una)",
    ),
    "product_path_missing": (
        "the path back through {1} is missing: {2} depends on the old {0}, so that {1}.T @ d has to be added",
        "falta el camino de vuelta por {1}: {2} depende del {0} anterior, así que hay que sumar {1}.T @ d",
    ),
    "path_missing": ("the path from {1} back to {0} is missing", "falta el camino de vuelta de {1} a {0}"),
    # which step a value is of
    "wrong_end": (
        "the state before the first step is read from the wrong end: at t = 0 index t - 1 is -1, which in "
        "Python is the last {0} and not the initial one",
        "el estado anterior al primer paso se lee del otro extremo: en t = 0 el índice t - 1 es -1, que en "
        "Python es el último {0} y no el inicial",
    ),
    "state_late": (
        "{0} is read one step off: the state after the step in the place of the one before it",
        "{0} se lee con un paso de desfase: el estado posterior al paso en lugar del anterior",
    ),
    "state_early": (
        "{0} is read one step off: the state two steps back in the place of the one before the step",
        "{0} se lee con un paso de desfase: el estado de dos pasos atrás en lugar del anterior al paso",
    ),
    "new_state_early": (
        "{0} is read one step off: the state before the step in the place of the one after it",
        "{0} se lee con un paso de desfase: el estado anterior al paso en lugar del posterior",
    ),
    "gate_off": (
        "{0} is read one step off, from the neighbouring step",
        "{0} se lee con un paso de desfase, del paso vecino",
    ),
    "reversed_in_time": (
        "the right numbers in the reverse order of time",
        "los números correctos en el orden inverso del tiempo",
    ),
    # derivatives
    "squashed": (
        "the derivative of {0} is taken of the already squashed value ({1}): with y = {0}(a), it is "
        "computed from {0}(y) where it has to be computed from y",
        "la derivada de {0} se toma del valor ya aplastado ({1}): con y = {0}(a), se calcula con {0}(y) en "
        "lugar de con y",
    ),
    "slope_missing": (
        "the derivative of {0} is left out ({1}): d is handed on as if the function were not there",
        "se omite la derivada de {0} ({1}): d se pasa como si la función no estuviera",
    ),
    "slope_of_other": (
        "the derivative of {0} is not that of {0} ({1}): y * (1 - y) belongs to sigmoid, 1 - y ** 2 to tanh",
        "la derivada de {0} no es la de {0} ({1}): y * (1 - y) es de sigmoid, 1 - y ** 2 de tanh",
    ),
    "unsquashed_slope": (
        "the derivative of {0} is taken of its argument ({1}): the formula in y needs the squashed value",
        "la derivada de {0} se toma de su argumento ({1}): la fórmula en y necesita el valor aplastado",
    ),
    "slope_unsquared": (
        "the derivative of tanh is 1 - y ** 2 and not 1 - y ({1})",
        "la derivada de tanh es 1 - y ** 2 y no 1 - y ({1})",
    ),
    "softmax_sigmoids": (
        "the softmax is treated as independent sigmoids: y * (1 - y) * d leaves out that every output "
        "lowers the others; it is y * (d - sum(d * y))",
        "el softmax se trata como sigmoides independientes: y * (1 - y) * d olvida que cada salida baja las"
        " demás; es y * (d - suma(d * y))",
    ),
    "softmax_ignored": (
        "the derivative of the softmax is not whole: it is y * (d - sum(d * y))",
        "la derivada del softmax no está completa: es y * (d - suma(d * y))",
    ),
    # gates
    "gates_exchanged": (
        "the gradients of {0} and {1} are taken for each other's",
        "los gradientes de {0} y {1} están intercambiados",
    ),
    "gate_read": ("{1} is read where {0} belongs", "se lee {1} donde corresponde {0}"),
    "complement": (
        "{0} and 1 - {0} are exchanged in the backward",
        "{0} y 1 - {0} están intercambiados en el paso hacia atrás",
    ),
    "gate_sign": (
        "the gradient of {0} has the wrong sign: look at the order of the difference that it multiplies",
        "el gradiente de {0} tiene el signo contrario: mire el orden de la diferencia por la que multiplica",
    ),
    "other_convention": (
        "the backward is that of another convention of the cell: of {0}, where the forward has {1}",
        "el paso hacia atrás es el de otra convención de la celda: el de {0}, y el paso hacia delante tiene "
        "{1}",
    ),
    # sums and sizes
    "kept_first": (
        "not accumulated over time: only the contribution of the first step is left, the last that the loop"
        " assigns; write += in the place of =",
        "no se acumula en el tiempo: solo queda la contribución del primer paso, la última que asigna el "
        "bucle; escriba += en lugar de =",
    ),
    "kept_last": (
        "not accumulated over time: only the contribution of the last step is there",
        "no se acumula en el tiempo: solo está la contribución del último paso",
    ),
    "divided": (
        "scaled by the wrong size: the right gradient divided by {0}; what is to be divided is the loss, by"
        " whoever makes d_h",
        "escalado por un tamaño que no corresponde: el gradiente correcto dividido por {0}; lo que se "
        "divide es la pérdida, por quien calcula d_h",
    ),
    "multiplied": (
        "scaled by the wrong size: the right gradient times {0}",
        "escalado por un tamaño que no corresponde: el gradiente correcto por {0}",
    ),
    "scaled": ("the right gradient times {0}", "el gradiente correcto por {0}"),
    "sign": ("the right gradient with the wrong sign", "el gradiente correcto con el signo contrario"),
    "clipped": (
        "clipped in place at {0}: the backward is not linear in d_h; clip what the optimiser gets, outside",
        "recortado en el sitio a {0}: el paso hacia atrás no es lineal en d_h; recorte lo que recibe el "
        "optimizador, fuera",
    ),
    "not_linear": (
        "clipped or rescaled in place: for a large d_h the gradient does not grow in proportion; clip what "
        "the optimiser gets, outside",
        "recortado o reescalado en el sitio: con un d_h grande el gradiente no crece en proporción; recorte"
        " lo que recibe el optimizador, fuera",
    ),
    "kept_between_calls": (
        "not set to zero between two calls: the second call gives another gradient than the first",
        "no se pone a cero entre dos llamadas: la segunda llamada da otro gradiente que la primera",
    ),
    "zero": ("it is exactly zero: no path leads to it", "es exactamente cero: ningún camino llega a él"),
    "not_given": ("it is not among what backward returns", "no está entre lo que devuelve backward"),
    "not_finite": ("it holds values that are not finite", "contiene valores que no son finitos"),
    # products
    "not_transposed": (
        "{0} is not transposed on the way back: what was multiplied by U goes back by U.T",
        "{0} no se transpone a la vuelta: lo que se multiplicó por U vuelve por U.T",
    ),
    "gradient_transposed": ("the right gradient, transposed", "el gradiente correcto, transpuesto"),
    "operand": (
        "the gradient of {0} is made with {2}: {0} multiplies {1}",
        "el gradiente de {0} se hace con {2}: {0} multiplica a {1}",
    ),
    "unsquashed_factor": (
        "in {2}, {1} is read where {0} is the factor",
        "en {2} se lee {1} donde el factor es {0}",
    ),
    "factor_missing": (
        "the factor {0} is missing in the gradient of {1} (in {2})",
        "falta el factor {0} en el gradiente de {1} (en {2})",
    ),
    "of_another": (
        "it is the gradient of {0}: two are exchanged",
        "es el gradiente de {0}: hay dos intercambiados",
    ),
    "unknown": (
        "none of the usual mistakes gives these numbers; compare one step by hand, T = 1",
        "ninguno de los errores habituales da estos números; compare un solo paso a mano, T = 1",
    ),
    # the forward
    "forward_products": (
        "the forward is not the textbook's: {0} is computed from the products of {1}",
        "el paso hacia delante no es el del libro: {0} se calcula con los productos de {1}",
    ),
    "forward_term": (
        "the forward is not the textbook's: {0} is missing in {1}",
        "el paso hacia delante no es el del libro: falta {0} en {1}",
    ),
    "forward_function": (
        "the forward is not the textbook's: {1} in the place of {0} in {2}",
        "el paso hacia delante no es el del libro: {1} en lugar de {0} en {2}",
    ),
    "start_ignored": (
        "the forward does not read the initial state: it starts from zeros",
        "el paso hacia delante no lee el estado inicial: empieza desde ceros",
    ),
    "forward_differs": (
        "the forward is not the textbook's {0}",
        "el paso hacia delante no es el {0} del libro",
    ),
    # what is no mistake
    "variant_z_writes": (
        "z writes here: h' = (1 - z) * h + z * n; right, and the opposite of the other convention",
        "aquí z escribe: h' = (1 - z) * h + z * n; correcto, y al revés que la otra convención",
    ),
    "variant_reset_after": (
        "the reset gate works after the product, as in cuDNN",
        "la puerta de reinicio actúa después del producto, como en cuDNN",
    ),
    "variant_reset_after_z_writes": (
        "the reset gate works after the product, and z writes: h' = (1 - z) * h + z * n",
        "la puerta de reinicio actúa después del producto, y z escribe: h' = (1 - z) * h + z * n",
    ),
    "own_cell": (
        "no textbook cell has this forward: gradients are compared with it as it is, and fewer causes can "
        "be told; CELL names the cell that is meant",
        "ninguna celda del libro tiene este paso hacia delante: los gradientes se comparan con él tal como "
        "es, y se reconocen menos causas; CELL nombra la celda que se quiere",
    ),
    "changes_input": (
        "backward changes the array d_h that it is handed; work on a copy",
        "backward cambia el arreglo d_h que recibe; trabaje sobre una copia",
    ),
    # around the table
    "gradient_of": ("gradient of", "gradiente de"),
    "shape": ("shape", "forma"),
    "error": ("error", "error"),
    "allowed": ("allowed", "permitido"),
    "from_step": ("from step", "desde el paso"),
    "ok": ("ok", "bien"),
    "wrong": ("WRONG", "MAL"),
    "not_looked_at": ("not given", "no se da"),
    "likely": ("likely: {0}", "probable: {0}"),
    "causes_of": ("{0}: {1}", "{0}: {1}"),
    "all_agree": ("all agree", "todos coinciden"),
    "some_wrong": ("{0} of {1} are wrong", "{0} de {1} están mal"),
    "against": ("against central differences", "frente a diferencias centrales"),
    "no_cell": ("a cell of its own", "una celda propia"),
}


def sentence(key: str, words: Sequence[str] = (), language: str = "en") -> str:
    """Give a sentence in a language, with its words in it."""
    return SENTENCES[key][LANGUAGES.index(language)].format(*words)
