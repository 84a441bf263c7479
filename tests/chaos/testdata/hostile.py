"""Asks a real Spark what it reads from hostile CSV and JSON, and writes hostile.json, which the tests replay.

    python hostile.py            (needs PySpark 4.2 and Java)
"""
import base64, json, os, tempfile
from pyspark.sql import SparkSession

CASES = []


def add(fmt, name, data, schema="a int, b string, _corrupt_record string", **options):
    if isinstance(data, str):
        data = data.encode()
    CASES.append({"format": fmt, "name": name, "data": data, "schema": schema, "options": {k: str(v) for k, v in options.items()}})


def csv(name, data, schema="a int, b string, _corrupt_record string", **options):
    add("csv", name, data, schema, **options)


def js(name, data, schema="a int, b string, _corrupt_record string", **options):
    add("json", name, data, schema, **options)


csv("good", "1,x\n2,y\n")
csv("no corrupt column", "1,x\nz,y\n3\n4,u,v\n", "a int, b string")
csv("a quote that does not end", '1,"x\n2,y\n3,z\n')
csv("a quote that does not end, many lines", '1,"x\n2,y\n3,z\n', multiLine=True)
csv("a quote that does not end, the first", '"1,x\n2,y\n')
csv("quoted line end", '1,"x\ny"\n2,z\n', multiLine=True)
csv("quoted line end in lines", '1,"x\ny"\n2,z\n')
csv("text after a quote", '1,"x"y\n2,"z" \n3, "u"\n4,"v"w"\n')
csv("quotes within text", '1,x"y\n2,x"y"z\n3,""\n4,"""\n5,""""\n6,"a""b"\n')
csv("escapes", '1,"x\\"y"\n2,"z\\\\"\n3,"w\\n"\n4,x\\y\n5,"\\\n')
csv("escape is the quote", '1,"x""y"\n2,"z"\n3,"w""\n', escape='"')
csv("no quotes", '1,"x"\n2,"y\n', quote="")
csv("NUL bytes", b"1,x\x00y\n\x002,z\n3,\x00\n")
csv("line ends of all kinds", "1,a\r\n2,b\n3,c\r4,d\r\n5,e")
csv("line ends of all kinds, many lines", "1,a\r\n2,b\n3,c\r4,d\r\n5,e", multiLine=True)
csv("line ends of all kinds, many lines, \\n first", "1,a\n2,b\r\n3,c\r4,d\r\n5,e\r\n", multiLine=True)
csv("line ends of all kinds, many lines, \\r first", "1,a\r2,b\r\n3,c\n4,d\r\n5,e", multiLine=True)
csv("line ends within quotes", '1,"a\r\nb"\r\n2,"c\nd"\r\n3,"e\rf"\r\n', multiLine=True)
csv("line ends within quotes, \\n first", '1,"a"\n2,"c\nd"\n3,"e\rf"\n4,"g\r\nh"\n', multiLine=True)
csv("line ends in a header", '"a\nb",b\r\n1,x\r\n2,y\r\n', header=True, multiLine=True)
csv("two quotes first", '1,""x\n2,""x"\n3,"" \n4,"" x\n5,""""x\n6,"""x"\n7,""x""\n8,"""",""\n9,"" , ""\n')
csv("a line end of choice", "1,a;2,b;3,c", lineSep=";")
csv("too few and too many", "1\n2,b\n3,c,d\n4,e,f,g\n,\n,,\n")
csv("too few and too many, narrow", "1\n2,b\n3,c,d\n", "b string, a int")
csv("a mark of byte order", b"\xef\xbb\xbf1,x\n2,y\n")
csv("a mark of byte order and a header", b"\xef\xbb\xbfa,b\n1,x\n", header=True)
csv("bytes that are no UTF-8", b"1,\xff\xfe\n2,\xc3\n3,\xc3\xa9\n4,\xed\xa0\x80\n5,\xf4\x90\x80\x80\n")
csv("ISO-8859-1", b"1,\xe9\xff\n", encoding="ISO-8859-1")
csv("UTF-16", "1,é\n2,x\n".encode("utf-16-le"), encoding="UTF-16LE", multiLine=True)
csv("empty", "")
csv("line ends only", "\n\n\r\n\n")
csv("blank lines", " \n1,x\n  \n\t\n2,y\n\n")
csv("comments", "#1,x\n2,y\n #3,z\n", comment="#")
csv("header", "a,b\n1,x\na,b\n2,y\n", header=True)
csv("header of other names", "x,y\n1,x\n", "a int, b string", header=True)
csv("header of other names, enforced", "x,y\n1,x\n", "a int, b string", header=True, enforceSchema=False)
csv("header of other order, enforced", "b,a\n1,x\n", "a int, b string", header=True, enforceSchema=False)
csv("header only", "a,b", header=True)
csv("spaces", " 1 , x \n2,y \n 3,' z'\n")
csv("spaces are cut", " 1 , x \n2,y \n", ignoreLeadingWhiteSpace=True, ignoreTrailingWhiteSpace=True)
csv("null and empty", '1,\n2,""\n3,NA\n,z\n"",u\n', nullValue="NA")
csv("null and empty by name", '1,-\n2,""\n', nullValue="-", emptyValue="E")
csv("a delimiter of two", "1||x\n2||y|z\n3|x\n", sep="||")
csv("tabs", "1\tx\n2\ty\tz\n", sep="\\t")
csv("integers", "1\n-1\n+1\n 1\n1.0\n1e3\n2147483648\n-2147483649\n0x10\n00012\n١\n", "a int, _corrupt_record string")
csv("longs", "9223372036854775807\n9223372036854775808\n1L\n", "a bigint, _corrupt_record string")
csv("doubles", "1.5\nNaN\nnan\nInf\n-Inf\nInfinity\n-Infinity\n1e400\n1e-400\n1d\n0x1p3\n.5\n5.\n1_000\n1,5\n", "a double, _corrupt_record string")
csv("decimals", "1.005\n123456.78\n1e3\n1E-3\n99999999\nx\n1,5\n", "a decimal(8,2), _corrupt_record string")
csv("booleans", "true\nTRUE\nfalse\nyes\n1\nt\n", "a boolean, _corrupt_record string")
csv("dates", "2020-02-29\n2021-02-29\n2020-1-1\n20200101\n0001-01-01\n9999-12-31\n10000-01-01\n2020-02-29T10:00\nnow\n", "a date, _corrupt_record string")
csv("times", "2020-02-29 10:11:12\n2020-02-29T10:11:12.123456Z\n2020-02-29T24:00:00\n2020-02-29 10:11:12.1234567\n2020-03-29T02:30:00+25:00\n0001-01-01T00:00:00Z\n2020-02-30T00:00:00Z\n",
    "a timestamp, _corrupt_record string")
csv("binary", "1,\xff\n".encode("latin-1"), "a int, b binary")
csv("20,481 columns", ",".join(["1"] * 20481) + "\n2\n", "a int, _corrupt_record string")
csv("a long line", "1," + "x" * 3_000_000 + "\n2,y\n", "a int, b string")
csv("a cell that is too long", "1,xxxxxxxxxxxxxxxx\n2,y\n", maxCharsPerColumn=10)
csv("columns that are not read", "1,x,9\nq,y,8\n3,z\n", "a int, b string, c int, _corrupt_record string")

js("good", '{"a":1,"b":"x"}\n{"b":"y"}\n{}\n')
js("no corrupt column", '{"a":1}\n{"a":\n{"a":"z","b":"w"}\n', "a int, b string")
js("double keys", '{"a":1,"a":2,"b":"x","b":"y"}\n{"A":3,"a":4}\n{"a":"x","a":6}\n')
js("huge numbers", '{"a":2147483648,"b":123456789012345678901234567890}\n{"a":1e400,"b":1e400}\n{"a":1.5,"b":1.50}\n{"a":1e2,"b":-0.0}\n{"a":-0}\n')
js("numbers of all kinds", '{"d":1e400,"l":9223372036854775808,"c":12345.678}\n{"d":"NaN","l":"1","c":"1.5"}\n{"d":NaN,"l":1.0,"c":1e2}\n{"d":-Infinity,"l":1e3,"c":123456789.0}\n{"d":"Infinity"}\n{"d":"x"}\n{"d":1}\n',
   "d double, l bigint, c decimal(8,2), _corrupt_record string")
js("numbers that are none", '{"a":01}\n{"a":+1}\n{"a":.5}\n{"a":1.}\n{"a":0x1}\n{"a":1_0}\n{"a":--1}\n')
js("leading zeros allowed", '{"a":01}\n{"a":007}\n', allowNumericLeadingZeros=True)
js("a long number", '{"b":' + "9" * 2000 + '}\n{"a":' + "9" * 900 + '}\n')
js("half characters", '{"a":1,"b":"\\ud800"}\n{"a":2,"b":"\\udc00x"}\n{"a":3,"b":"\\ud83d\\ude00"}\n{"a":4,"b":"\\ud83dx"}\n')
js("escapes", '{"a":1,"b":"\\u0041\\n\\t\\/\\b\\f\\r\\\\"}\n{"a":2,"b":"\\x"}\n{"a":4,"b":"\\\'"}\n{"a":5,"b":"\\u0000"}\n')
js("escapes of anything", '{"a":2,"b":"\\x"}\n{"a":4,"b":"\\\'"}\n', allowBackslashEscapingAnyCharacter=True)
js("control characters", b'{"a":1,"b":"x\x01y"}\n{"a":2,"b":"x\ty"}\n{"a":3}\x01\n')
js("control characters allowed", b'{"a":1,"b":"x\x01y"}\n{"a":2,"b":"x\ty"}\n', allowUnquotedControlChars=True)
js("quotes", "{'a':1,'b':'x\"y'}\n{a:2}\n{\"a\":3,'b':\"z\"}\n")
js("quotes not allowed", "{'a':1}\n", allowSingleQuotes=False)
js("names without quotes", "{a:2,b:\"x\"}\n{a b:3}\n", allowUnquotedFieldNames=True)
js("comments", '{"a":1/*x*/,"b":"y"}\n{"a":2}//z\n# x\n')
js("comments allowed", '{"a":1/*x*/,"b":"y"}\n{"a":2}//z\n', allowComments=True)
js("commas", '{"a":1,}\n{,"a":1}\n{"a":1,,"b":"x"}\n{"a" 1}\n{"a":1 "b":"x"}\n')
js("cut", '{"a":1,"b":"x\n{"a":2\n{"a":3,"b":"y"}\n{\n{"a":4,"b":"z"')
js("text after", '{"a":1} {"a":2}\n{"a":3} x\n{"a":4}]\n{"a":5}}\n')
js("arrays", '[{"a":1},{"a":2,"b":"x"}]\n[]\n[1,2]\n[{"a":3},4]\n[[{"a":5}]]\n')
js("scalars", '1\n"x"\nnull\ntrue\n{"a":1}\n\n   \nx\n')
js("other types", '{"a":"1","b":1}\n{"a":"x","b":true}\n{"a":{},"b":{"x": [1, 2.50,"y"]}}\n{"a":[1],"b":[1, {"z":null}]}\n{"a":null,"b":null}\n{"a":true}\n{"a":""}\n{"b":1.50}\n{"b":1E5}\n')
js("other types in structs", '{"s":{"x":1,"y":"z"}}\n{"s":{"x":"q","y":"z"}}\n{"s":[1]}\n{"s":1}\n{"s":"x"}\n{"s":{}}\n{"s":null}\n{"s":{"x":1,"x":2}}\n', "s struct<x int, y string>, _corrupt_record string")
js("other types in arrays", '{"r":[1,2,null]}\n{"r":[1,"x"]}\n{"r":1}\n{"r":[]}\n{"r":{}}\n{"r":[[1]]}\n', "r array<int>, _corrupt_record string")
js("other types in maps", '{"m":{"k":1,"l":null}}\n{"m":{"k":"x"}}\n{"m":[1]}\n{"m":{"k":1,"k":2}}\n{"m":{}}\n', "m map<string,int>, _corrupt_record string")
js("depth 100", '{"b":' + "[" * 100 + "]" * 100 + "}\n")
js("depth 1,100", '{"b":' + "[" * 1100 + "]" * 1100 + '}\n{"a":1}\n')
js("depth 1,100 unread", '{"c":' + "[" * 1100 + "]" * 1100 + ',"a":7}\n{"a":1}\n')
js("depth 100,000", "[" * 100000 + "\n" + '{"a":1}\n')
js("NUL bytes", b'{"a":1,"b":"x\x00y"}\n\x00\n{"a":2}\n')
js("bytes that are no UTF-8", b'{"a":1,"b":"\xff"}\n{"a":3}\n{"c":"\xff","a":4}\n')
js("a mark of byte order", b'\xef\xbb\xbf{"a":1}\n{"a":2}\n')
js("UTF-16", '{"a":1,"b":"é"}'.encode("utf-16-le"), encoding="UTF-16LE", multiLine=True)
js("empty", "")
js("many lines", '{"a":1,\n"b":"x"}\n', multiLine=True)
js("many lines, an array", '[{"a":1},\n{"a":2}]\n', multiLine=True)
js("many lines, cut", '[{"a":1},\n{"a":2', multiLine=True)
js("double keys that do not fit", '{"a":5,"b":"x","a":"x"}\n')
js("bytes that are no UTF-8, later", b'{"a":2,"b":"\xc3\xa9\xc3"}\n')
js("a cut escape", '{"a":3,"b":"\\u12"}\n')
js("many lines, two documents", '{"a":1}\n{"a":2}\n', multiLine=True)
js("line ends", '{"a":1}\r\n{"a":2}\r{"a":3}\n')
js("dates", '{"d":"2020-02-29","t":"2020-02-29T10:11:12Z"}\n{"d":"2021-02-29","t":"x"}\n{"d":18000,"t":1600000000}\n{"d":"2020-1-1","t":"2020-01-01"}\n', "d date, t timestamp, _corrupt_record string")
js("names of other case", '{"A":1,"B":"x"}\n{"a":2,"A":3}\n')
js("binary", '{"b":"eHl6"}\n{"b":"!"}\n{"b":1}\n', "b binary, _corrupt_record string")
js("a long text", '{"a":1,"b":"' + "x" * 3_000_000 + '"}\n{"a":2}\n', "a int, b string")
js("dropped fields", '{"a":1,"c":{"d":[}}\n{"a":2,"c":{"d":[1]}}\n', "a int")

MODES = ["PERMISSIVE", "DROPMALFORMED", "FAILFAST"]


def quoted(s):
    return "'" + s.replace("\\", "\\\\").replace("'", "\\'") + "'"


def view(case, path, mode):
    options = dict(case["options"], path=path, mode=mode)
    return "create or replace temporary view v (%s) using %s options (%s)" % (
        case["schema"], case["format"], ", ".join("%s %s" % (k, quoted(v)) for k, v in sorted(options.items())))


def short(row):
    return row if len(row) < 300 else "%s… %d" % (row[:200], len(row))


def ask(spark, text):
    try:
        return {"rows": [short(r[0]) for r in spark.sql(text).collect()]}
    except Exception as e:
        return {"error": condition(e)}


def condition(e):
    """The condition of an error, or of the first of its causes that has one."""
    c = getattr(e, "java_exception", None) or getattr(e, "_origin", None)
    while c is not None:
        try:
            if c.getCondition():
                return c.getCondition()
        except Exception:
            pass
        c = c.getCause()
    return getattr(e, "getCondition", lambda: type(e).__name__)()


def main():
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    out = []
    with tempfile.TemporaryDirectory() as d:
        for n, c in enumerate(CASES):
            path = os.path.join(d, "case%d" % n)
            with open(path, "wb") as f:
                f.write(c["data"])
            answers = {}
            for mode in MODES:
                made = ask(spark, view(c, path, mode))
                answers[mode] = made if "error" in made else ask(spark, "select to_json(struct(*), map('ignoreNullFields', 'false')) from v")
            data = c["data"]
            made = {"data": base64.b64encode(data).decode()} if len(data) < 5000 else {"runs": runs(data)}
            out.append(dict(format=c["format"], name=c["name"], schema=c["schema"], options=c["options"], answers=answers, **made))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "hostile.json"), "w") as f:
        json.dump(out, f, indent=1, ensure_ascii=True, sort_keys=True)
        f.write("\n")


def runs(data):
    """Long data as pairs of a text and how often it is repeated."""
    out, i = [], 0
    while i < len(data):
        best = (1, 1)
        for size in (1, 2):
            n = 1
            while data[i + n * size:i + (n + 1) * size] == data[i:i + size]:
                n += 1
            if n * size > best[0] * best[1]:
                best = (size, n)
        size, n = best
        if n < 20:
            if out and out[-1][1] == 1:
                out[-1][0] += data[i:i + 1].decode("latin-1")
            else:
                out.append([data[i:i + 1].decode("latin-1"), 1])
            i += 1
        else:
            out.append([data[i:i + size].decode("latin-1"), n])
            i += n * size
    return out


if __name__ == "__main__":
    main()
