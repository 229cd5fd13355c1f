import pytest

from noria.data.encodings import decode

GARCON = "Le garçon a été élevé à côté de la forêt. Où est le château ?\n"
WHISKY = "Portez ce vieux whisky au juge blond qui fume. Élève, forêt, à côté\n"
GERMAN = "Die Bäume blühen schön über den großen Straßen. Äpfel, Öl und Übermut.\n"
SPANISH = "El niño comió piñas en la montaña. ¿Cómo está usted? ¡Qué día más bonito!\n"
ITALIAN = "Perché la città è così bella? La libertà è più importante, però c'è di più.\n"
PORTUGUESE = "A ação não é uma opção. O coração da nação está em São Paulo, às três horas.\n"
SWEDISH = "Räven sprang över ån och åt blåbär på ön. Älgen står där på ängen.\n"
DANISH = "Rødgrød med fløde. Århus ligger på Jylland, æblerne er røde.\n"
QUOTED = "“Don’t” – he said… it costs 5 € or £3\n"
OEUVRE = "Le cœur de l'œuvre coûte 5 € à Noël, où l'été naît.\n"
POLISH = "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.\n"
CZECH = "Dobrý den, kdo je tam? Přišel jsem včera večer domů a nebyl tu žádný člověk.\n"
HUNGARIAN = "Minden emberi lény szabadon születik. Árvíztűrő tükörfúrógép\n"
TURKISH = "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdan.\n"
RUSSIAN = "Все люди рождаются свободными и равными в своём достоинстве и правах.\n"
GREEK = "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια.\n"
HEBREW = "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.\n"
JAPANESE = "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。\n"
CHINESE = "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心。\n"
TRADITIONAL = "人人生而自由,在尊嚴和權利上一律平等。他們賦有理性和良心。\n"
KOREAN = "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.\n"


@pytest.mark.parametrize("lines", [1, 4, 50])
@pytest.mark.parametrize(
    "line", [GARCON, WHISKY, GERMAN, SPANISH, ITALIAN, PORTUGUESE, SWEDISH, DANISH, QUOTED, OEUVRE]
)
def test_western_text_is_read_as_cp1252(line, lines):
    decoded = decode((line * lines).encode("cp1252"), "a.txt")
    assert decoded.text == line * lines
    assert decoded.encoding == "cp1252"


@pytest.mark.parametrize("lines", [1, 50])
@pytest.mark.parametrize(
    ("line", "encoding"),
    [
        *((line, "latin-1") for line in (GARCON, WHISKY, GERMAN, SPANISH, ITALIAN, PORTUGUESE, SWEDISH)),
        (OEUVRE, "iso8859-15"),
        (GARCON, "mac_roman"),
        (GARCON, "cp850"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859-2"),
        (CZECH, "cp1250"),
        (CZECH, "iso8859-2"),
        (HUNGARIAN, "cp1250"),
        (TURKISH, "cp1254"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp866"),
        (GREEK, "cp1253"),
        (GREEK, "iso8859-7"),
        (HEBREW, "cp1255"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (CHINESE, "gb18030"),
        (TRADITIONAL, "big5"),
        (KOREAN, "cp949"),
    ],
)
def test_text_in_old_encodings_is_read_as_it_was_written(line, encoding, lines):
    assert decode((line * lines).encode(encoding), "a.txt").text == line * lines


def test_plain_lines_around_a_few_accents_do_not_mislead():
    text = "Nothing to see in this line.\n" * 3000 + "The café of Señor Núñez.\n" + "Nor in this.\n" * 3000
    assert decode(text.encode("cp1252"), "a.txt").text == text


def test_several_western_languages_in_one_file_are_read():
    text = (GARCON + GERMAN + SPANISH + PORTUGUESE + SWEDISH + DANISH) * 3
    assert decode(text.encode("cp1252"), "a.txt").encoding == "cp1252"


def test_russian_with_much_english_in_its_lines_is_no_western_text():
    text = "".join(f"print(value) return the number of rows # {line}" for line in [RUSSIAN] * 9)
    assert decode(text.encode("cp1251"), "a.txt").text == text
