"""C# texts of values of each type, ordinary and extreme, and what stands well in the place of a member's parameter."""

from apim_emulator.csharp.runtime.exceptions import BASES
from apim_emulator.csharp.types import parse
from emulator.tests.csharp.members import Use

# fmt: off
# ruff: noqa: E501 - a type or a member in few lines

_TEXTS = (
    "", "a", "abc", "Hello World", "a,b,,c", " x ", "12", "-7", "true", "1.50", "é", "ABC", "b=1;a=2",
    '{"a":1,"b":[1,2]}', '["x","y",null]', "YWJj", "2024-02-03T04:05:06Z", "0f8fad5b-d9cb-469f-a165-70867728950e",
    "{0}-{1:D3}", "a%20b+c", "x\\ny", "https://h.example:8080/p/q?r=s", "&lt;a&gt;", "b", "c",
)
_NUMBERS = ("0", "1", "2", "3", "-1", "7", "10", "255", "1000", "int.MinValue")
ORDINARY: dict[str, tuple[str, ...]] = {
    "string": tuple(f'"{text}"' for text in (one.replace('"', '\\"') for one in _TEXTS)),
    "int": _NUMBERS,
    "long": ("0L", "5L", "-3L", "10000000000", "long.MaxValue"),
    "double": ("0.5", "1.5", "2.0", "-2.5", "1e3", "0.1", "3.14159"),
    "bool": ("true", "false"),
    "char": ("'a'", "'B'", "' '", "'0'", "','"),
    "byte": ("(byte)7", "(byte)255", "byte.MaxValue"),
    "short": ("(short)-5", "short.MaxValue"),
    "uint": ("4000000000", "1u"),
    "ulong": ("1UL", "ulong.MaxValue"),
    "ushort": ("(ushort)9",),
    "sbyte": ("(sbyte)-9",),
    "object": ('"o"', "5", "true", "(object)null", 'context.Variables["t"]', 'context.Variables["n"]'),
    "string[]": ('new[] {"b", "a", "c"}', "new string[0]", 'new string[] {"a", null, "a"}', "\"x y z\".Split(' ')"),
    "int[]": ("new[] {3, 1, 2}", "new int[2]", "new int[] {}"),
    "char[]": ("new[] {'a', ','}", '"abc".ToCharArray()'),
    "byte[]": ("new byte[] {1, 2, 254, 0, 9, 8}", 'Encoding.UTF8.GetBytes("hé")', "new byte[16]"),
    "object[]": ('new object[] {1, "x", null, true, 2.5}',),
    "List<string>": ('new List<string> {"q", "p"}', "new List<string>()"),
    "List<int>": ("new List<int> {5, 6, 5}", "new List<int>()"),
    "IEnumerable<string>": ('new[] {"b", "a"}.Where(w => w != "z")', 'new List<string> {"m"}.Select(w => w + "!")'),
    "IEnumerable<int>": ("Enumerable.Range(1, 4)", "new[] {4, 4, 2}.Distinct()"),
    "Dictionary<string, int>": ('new Dictionary<string, int> {{"k", 1}, {"l", 2}}',),
    "HashSet<string>": ('new HashSet<string> {"s", "t"}',),
    "JToken": (
        'JToken.Parse("5")',
        'JObject.Parse("{\\"a\\":{\\"b\\":[1,\\"x\\",null]}}")["a"]',
        '(JToken)"t"',
        "(JToken)1.5",
        'new JObject()["no"]',
        'JToken.Parse("null")',
        'JArray.Parse("[true,2.0]")[0]',
    ),
    "JObject": (
        'JObject.Parse("{\\"a\\":1,\\"b\\":\\"t\\",\\"c\\":null,\\"d\\":[1,2],\\"e\\":1.0}")',
        "new JObject()",
        'new JObject(new JProperty("p", "v"), new JProperty("q", 2))',
        'new JObject {["a"] = "s", ["z"] = true}',
    ),
    "JArray": (
        'JArray.Parse("[1,\\"b\\",{\\"a\\":2},null]")',
        'new JArray("x", "y")',
        "new JArray {1, 2}",
        "new JArray()",
    ),
    "JProperty": ('new JProperty("n", 5)', 'new JProperty("n", "v")'),
    "JValue": ('new JValue("v")', "new JValue(5)"),
    "DateTime": (
        "new DateTime(2024, 2, 29, 13, 4, 5)",
        "DateTime.UtcNow",
        "DateTime.MinValue",
        "new DateTime(1999, 12, 31)",
    ),
    "DateTimeOffset": ("DateTimeOffset.UtcNow", "DateTimeOffset.FromUnixTimeSeconds(1700000000)"),
    "TimeSpan": ("TimeSpan.FromSeconds(90)", "TimeSpan.Zero", "new TimeSpan(1, 2, 3)", "new TimeSpan(-5000)"),
    "Guid": ('Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e")', "Guid.Empty"),
    "StringBuilder": ('new StringBuilder("sb")', "new StringBuilder()"),
    "Uri": ('new Uri("https://h.example/p?q=1")',),
    "Match": ('Regex.Match("a1b22", "[0-9]+")', 'Regex.Match("k=v", "(?<k>[a-z])=(v)")', 'Regex.Match("x", "y")'),
    "Encoding": ("Encoding.UTF8", "Encoding.ASCII"),
    "int?": ("(int?)5", "(int?)null", '(int?)JToken.Parse("3")'),
    "JTokenType": ("JTokenType.String", "JTokenType.Null", 'JToken.Parse("1").Type'),
    "StringComparison": ("StringComparison.Ordinal", "StringComparison.OrdinalIgnoreCase"),
    "StringSplitOptions": ("StringSplitOptions.None", "StringSplitOptions.RemoveEmptyEntries"),
    "StringComparer": ("StringComparer.Ordinal", "StringComparer.OrdinalIgnoreCase"),
    "Formatting": ("Formatting.None", "Formatting.Indented"),
    "MidpointRounding": ("MidpointRounding.ToEven", "MidpointRounding.AwayFromZero"),
    "DateTimeKind": ("DateTimeKind.Utc", "DateTimeKind.Unspecified"),
    "DayOfWeek": ("DayOfWeek.Monday", "DateTime.UtcNow.DayOfWeek"),
    "RegexOptions": (
        "RegexOptions.None",
        "RegexOptions.IgnoreCase",
        "RegexOptions.Multiline | RegexOptions.IgnoreCase",
    ),
    "KeyValuePair<string, int>": ('new KeyValuePair<string, int>("k", 3)',),
    "HMACSHA256": ("new HMACSHA256(new byte[] {1, 2})",),
    "SHA256": ("SHA256.Create()",),
    "Random": ("new Random()",),
}
"""Some values of each type."""

CERTIFICATE = (
    "MIIBzDCCATWgAwIBAgIHCrze8SNFZzANBgkqhkiG9w0BAQsFADANMQswCQYDVQQDDAJDQTAeFw0yNDAxMDIwMzA0MDVaFw00NDAx"
    "MDIwMDAwMDBaMCkxFjAUBgNVBAoMDUNvbnRvc28sIEluYy4xDzANBgNVBAMMBmNsaWVudDCBnzANBgkqhkiG9w0BAQEFAAOBjQAw"
    "gYkCgYEAuUQ01x8Wy/VhmbfGb96vc2w3FL1uHnMCtqSvGgp28mFwx1qXyM4P4pSPKvmhCUAdn+/V17gv+6CNTOM2Lg+eEiLC7NcW"
    "cjnjYCzOx+W/DTr3iP7yac5in20S50m3QeS9VkDcj4Wd4v0xecHohZZkS9yawarQNY+BP0VRkb8QX78CAwEAAaMaMBgwFgYDVR0R"
    "BA8wDYILY2xpZW50LnRlc3QwDQYJKoZIhvcNAQELBQADgYEAkzXxUJY76QpPqxtCrmmbj6DVmN3wVej3Gqhdeg7pWQeOyTnKApbR"
    "UORAduNKJntlZd1SLs8ZNa0qD26Gt4SImCsnv3V0mRUVcm7dK+ueER6eUZnhucj6Uq+dMdhh8MFM3NuohyF/tvcsJAayu9l4ICvF"
    "aVXhdEtByqe4zH1Rfjs="
)
"""A certificate in Base64, of which nobody has the private key."""
_NULL = ("string", "string[]", "int[]", "char[]", "byte[]", "object[]", "double[]", "List<string>", "List<int>",
         "IEnumerable<string>", "IEnumerable<int>", "IEnumerable<double>", "IEnumerable<JToken>", "JToken", "JObject",
         "JArray", "StringBuilder", "Uri", "Dictionary<string, int>", "HashSet<string>", "Match", "Regex")
_XML = 'XElement.Parse("<r x=\\"1\\" xmlns:p=\\"urn:u\\" p:y=\\"2\\"><b>t</b><p:c/><!--d-->u<b z=\\"3\\"><e/></b></r>")'
_CERTIFICATE = '(new X509Certificate2((byte[])context.Variables["certificate"]))'
EXTREME: dict[str, tuple[str, ...]] = {
    "string": ('"\\0"', '"\\ud83d\\ude00b"', '"\\t\\r\\n"', '"\\u00a0 \\u2003"', '"AbC"', '"aXbXc"', '"-0"', '"\\u0130"',
               '(string)context.Variables["text"]', '"a-b"', '"\\\\"', "new string('z', 50)"),
    "int": ("int.MaxValue", '(int)context.Variables["number"]', "-1000", "16", "31", "65536"),
    "long": ("long.MinValue", "0L", "-1L", "2147483648", "253402300800", "621355968000000000", "1700000000L"),
    "double": ("0.0", "-0.0", "double.Parse(\"NaN\")", "1.0 / 0", "-1.0 / 0", "1e308", "5e-324", "123456789.5", "-0.5",
               "3.5", "1e16", "0.1 + 0.2", "100.0", "1e-5"),
    "char": ("'\\0'", "'\\uffff'", "'\\u00e9'", "'z'", "'X'", "'-'", "'\\t'", "'_'"),
    "byte": ("(byte)0", "(byte)128"),
    "short": ("short.MinValue", "(short)0", "(short)1000"),
    "uint": ("uint.MaxValue", "0u"),
    "ulong": ("0UL", "10000000000000000000"),
    "ushort": ("ushort.MaxValue", "ushort.MinValue"),
    "sbyte": ("sbyte.MinValue", "sbyte.MaxValue", "(sbyte)0"),
    "object": ("2.5", "'c'", "7L", "DateTime.UtcNow", "Guid.Empty", "new[] {1, 2}", "(byte)3", '(object)JToken.Parse("1")',
               "new DateTime(2024, 2, 29)", 'new List<string> {"a"}', "4000000000", '""', "TimeSpan.Zero"),
    "bool": ('(bool)context.Variables["flag"]',),
    "string[]": ('new string[] {null}', 'new[] {""}', 'new[] {"--", ",", ""}'),
    "int[]": ("new[] {int.MaxValue, 1}", "new[] {5}", "new[] {1, 2, 2, 3}"),
    "char[]": ("new char[0]", "new[] {' ', 'b', 'x'}"),
    "byte[]": ("new byte[0]", "new byte[] {255}", "new byte[] {72, 105}", "new byte[32]", "new byte[] {0, 0, 0, 128, 1}",
               "new byte[] {195, 169, 33}"),
    "object[]": ("new object[0]", 'new object[] {"a", 7}', "new object[] {1.5, 'c', DateTime.MinValue}"),
    "double[]": ("new[] {1.5, 2, 0.5}", "new double[0]", "new[] {0.1, 0.2}"),
    "List<string>": ('new List<string> {"a", null, "b", "a"}', 'new List<string> {"abc"}'),
    "List<int>": ("new List<int> {3, 1, 2}", "new List<int> {int.MaxValue}", "new List<int> {1, 2, 3, 4}"),
    "IList<string>": ('context.Request.Body.AsFormUrlEncodedContent(true).First().Value',
                      '((IList<string>)new List<string> {"a", "b", "a"})', '((IList<string>)new[] {"a"})'),
    "ICollection<string>": ('new Dictionary<string, int> {{"k", 1}}.Keys', '((ICollection<string>)new List<string> {"a"})',
                            '((ICollection<string>)new HashSet<string>())'),
    "ICollection<int>": ('new Dictionary<string, int> {{"k", 1}}.Values', "((ICollection<int>)new[] {1, 2})"),
    "IEnumerable<string>": ("new string[0].Where(w => true)", 'new[] {"bb", "a", null, "a"}', '"q w e".Split(\' \')'),
    "IEnumerable<int>": ("new int[0]", "new[] {3, 1, 2, 3}", "new List<int> {7}", "Enumerable.Repeat(int.MaxValue, 2)"),
    "IEnumerable<long>": ("new[] {3L, -1L}", "new long[0]", "new[] {long.MaxValue, 1L}", "new[] {5L}.Where(x => x > 1)"),
    "IEnumerable<double>": ("new[] {1.5, -2.5, 1.5}", "new double[0]", "new[] {double.Parse(\"NaN\"), 1.0}",
                            "new[] {1e308, 1e308}", "new[] {1, 2}.Select(x => x * 0.5)"),
    "IEnumerable<JToken>": ('JArray.Parse("[1,\\"b\\",null,true]")', "new JArray()", 'JArray.Parse("[{\\"a\\":1},{\\"a\\":2}]")',
                            'JObject.Parse("{\\"a\\":1,\\"b\\":\\"c\\"}")', 'JToken.Parse("[3,2]").Children()', '(JToken)"12"'),
    "IEnumerable<KeyValuePair<string, int>>": ('new Dictionary<string, int> {{"k", 1}, {"b", 0}}',
                                               "new Dictionary<string, int>()"),
    "IOrderedEnumerable<int>": ("new[] {21, 12, 11}.OrderBy(x => x % 10)", "new int[0].OrderBy(x => x)"),
    "IOrderedEnumerable<string>": ('new[] {"bb", "a", "ab"}.OrderBy(x => x.Length)',
                                   'new[] {"b", "aa"}.OrderByDescending(x => x.Length)'),
    "IOrderedEnumerable<double>": ("new[] {1.5, 0.5, 1.25}.OrderBy(x => (int)x)",),
    "IOrderedEnumerable<JToken>": ('JArray.Parse("[3,1,2]").OrderBy(x => (int)x % 2)',),
    "IGrouping<int, string>": ('new[] {"a", "bb", "c"}.GroupBy(x => x.Length).First()',),
    "IGrouping<string, int>": ('new[] {1, 2, 3}.GroupBy(x => x > 1 ? "big" : "small").Last()',),
    "Dictionary<string, int>": ("new Dictionary<string, int>()", 'new Dictionary<string, int> {["a"] = 5, ["b"] = 0}'),
    "Dictionary<int, string>": ('new Dictionary<int, string> {{1, "a"}, {-1, null}}', "new Dictionary<int, string>()",
                                'new[] {"a", "bb"}.ToDictionary(x => x.Length)'),
    "IDictionary<string, int>": ('new Dictionary<string, int> {{"k", 1}}', "((IDictionary<string, int>)null)"),
    "IDictionary<string, string>": ('new Dictionary<string, string> {{"a", "b"}, {"k", null}}', "new Dictionary<string, string>()"),
    "IDictionary<int, string>": ('new Dictionary<int, string> {{1, "a"}}', "new Dictionary<int, string>()"),
    "IDictionary<string, IList<string>>": ("context.Request.Body.AsFormUrlEncodedContent(true)",),
    "IReadOnlyDictionary<string, string[]>": ("context.Request.Headers", "context.Request.OriginalUrl.Query",
                                              "context.Response.Headers"),
    "HashSet<string>": ("new HashSet<string>()", 'new HashSet<string>(StringComparer.OrdinalIgnoreCase) {"A"}',
                        'new HashSet<string>(new[] {"a", null, "b", "a"})'),
    "HashSet<int>": ("new HashSet<int> {1, 2}", "new HashSet<int>(new[] {0, 0})", "new HashSet<int>()"),
    "KeyValuePair<int, string>": ('new KeyValuePair<int, string>(1, null)', 'new Dictionary<int, string> {{3, "c"}}.First()'),
    "JToken": ('JToken.Parse("[1,[2,3],{\\"a\\":4}]")', 'JToken.Parse("true")', '(JToken)"12"', '(JToken)(-1)',
               'JToken.Parse("\\"2024-02-03T04:05:06Z\\"")', 'new JProperty("p", 1)', 'JToken.Parse("{}")',
               'JToken.Parse("12345678901")', 'JToken.Parse("[\\"x\\",\\"y\\"]")', 'JToken.Parse("1e3")'),
    "JObject": ('JObject.Parse("{\\"a\\":{\\"b\\":[1,{\\"c\\":2}]},\\"A\\":3}")', 'JObject.FromObject(new { a = 1, b = "x" })'),
    "JArray": ('JArray.Parse("[[1],[2,3]]")', 'JArray.FromObject(new[] {1.5, 2})', 'JArray.Parse("[\\"x\\",\\"y\\"]")'),
    "JContainer": ('((JContainer)JArray.Parse("[1,2]"))', '((JContainer)new JObject())'),
    "JProperty": ('new JProperty("", null)', 'JObject.Parse("{\\"a\\":[1]}").Property("a")'),
    "JValue": ("new JValue(true)", "new JValue(1.5)", "((JValue)JToken.Parse(\"null\"))", "new JValue((string)null)"),
    "DateTime": ("DateTime.MaxValue", "new DateTime(2000, 2, 29, 23, 59, 59, DateTimeKind.Utc)", "DateTime.Today",
                 "new DateTime(2024, 12, 31, 12, 0, 0)", "new DateTime(638000000001234567, DateTimeKind.Utc)"),
    "DateTimeOffset": ("DateTimeOffset.MinValue", 'DateTimeOffset.Parse("2024-02-29T23:30:15.25+02:00")',
                       "new DateTimeOffset(2024, 3, 31, 0, 0, 0, TimeSpan.FromHours(-5))",
                       'DateTimeOffset.Parse("9999-12-31T23:59:59Z")'),
    "TimeSpan": ("TimeSpan.FromTicks(long.MaxValue)", "TimeSpan.FromTicks(long.MinValue)", "TimeSpan.FromDays(1.5)",
                 "TimeSpan.FromMilliseconds(-1)", "TimeSpan.FromHours(2)", "new TimeSpan(10, 23, 59, 59)",
                 "TimeSpan.FromMinutes(-90)"),
    "Guid": ("new Guid(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})", "context.RequestId"),
    "StringBuilder": ('new StringBuilder("aXbX").Append(5)', 'new StringBuilder("\\ud83d\\ude00")'),
    "Uri": ('new Uri("http://h.example:8080/a/b?x=1&y=%20")', 'new Uri("https://h.example")',
            'new Uri("https://h.example:443/x%2Fy")', "context.Request.OriginalUrl.ToUri()"),
    "Match": ('Regex.Match("aXb", "(X)(Y)?")',),
    "Group": ('Regex.Match("a1b22", "([a-z])([0-9]+)").Groups[2]', 'Regex.Match("a", "a(b)?").Groups[1]',
              'Regex.Match("a", "(?<n>a)").Groups["n"]', 'Regex.Match("a", "b")', 'Regex.Match("xay", "a").Groups[9]'),
    "GroupCollection": ('Regex.Match("a1b22", "([a-z])(?<d>[0-9]+)").Groups', 'Regex.Match("a", "b").Groups'),
    "MatchCollection": ('Regex.Matches("a1b22", "[0-9]+")', 'Regex.Matches("a", "b")', 'Regex.Matches("aaa", "a")'),
    "Regex": ('new Regex("[0-9]+")', 'new Regex("A", RegexOptions.IgnoreCase)', 'new Regex("(a)(?<n>b)?")', 'new Regex(",")'),
    "Encoding": ('Encoding.GetEncoding("iso-8859-1")',),
    "int?": ("(int?)0", "(int?)int.MinValue"),
    "bool?": ("(bool?)true", "(bool?)null"),
    "DateTime?": ("(DateTime?)new DateTime(2024, 1, 1)", "(DateTime?)null", '((Jwt)context.Variables["jwt"]).ExpirationTime'),
    "JTokenType": ("JTokenType.Integer", "JTokenType.Date"),
    "StringComparison": ("StringComparison.InvariantCulture", "StringComparison.CurrentCultureIgnoreCase"),
    "DateTimeKind": ("DateTimeKind.Local",),
    "DayOfWeek": ("DayOfWeek.Sunday", "DateTime.MinValue.DayOfWeek"),
    "RegexOptions": ("RegexOptions.Singleline", "RegexOptions.ExplicitCapture", "RegexOptions.CultureInvariant"),
    "HMAC": ("((HMAC)new HMACSHA256())", "((HMAC)new HMACMD5(new byte[] {1}))"),
    "HashAlgorithm": ("((HashAlgorithm)MD5.Create())", "((HashAlgorithm)SHA1.Create())", "((HashAlgorithm)SHA256.Create())",
                      "((HashAlgorithm)SHA384.Create())", "((HashAlgorithm)SHA512.Create())",
                      *(f"((HashAlgorithm)new HMAC{name}(new byte[] {{1, 2}}))" for name in ("MD5", "SHA1", "SHA256", "SHA384", "SHA512"))),
    "Random": ("new Random(5)", "new Random(int.MinValue)"),
    "HashAlgorithmName": ("HashAlgorithmName.SHA256", "HashAlgorithmName.SHA1", "new HashAlgorithmName(\"SHA512\")",
                          "new HashAlgorithmName(null)"),
    "RSA": (f"{_CERTIFICATE}.GetRSAPublicKey()",),
    "AsymmetricAlgorithm": (f"{_CERTIFICATE}.PublicKey.Key", f"((AsymmetricAlgorithm){_CERTIFICATE}.GetRSAPublicKey())"),
    "RSASignaturePadding": ("RSASignaturePadding.Pkcs1",),
    "RSAEncryptionPadding": ("RSAEncryptionPadding.Pkcs1", "RSAEncryptionPadding.OaepSHA1"),
    "X509Certificate2": (_CERTIFICATE, "((X509Certificate2)null)"),
    "X509Certificate": (f"((X509Certificate){_CERTIFICATE})",),
    "X500DistinguishedName": (f"{_CERTIFICATE}.SubjectName", f"{_CERTIFICATE}.IssuerName"),
    "PublicKey": (f"{_CERTIFICATE}.PublicKey",),
    "Oid": (f"{_CERTIFICATE}.SignatureAlgorithm", f"{_CERTIFICATE}.PublicKey.Oid"),
    "X509ContentType": ("X509ContentType.Cert", "X509ContentType.Pfx"),
    "X509NameType": ("X509NameType.SimpleName", "X509NameType.DnsName"),
    # XML
    "XName": ('XName.Get("b")', '(XName)"{urn:u}c"', '(XName)"x"', "(XName)null"),
    "XNamespace": ('XNamespace.Get("urn:u")', "XNamespace.None", "(XNamespace)null"),
    "XObject": (f"((XObject){_XML})", '((XObject)new XAttribute("k", 1))'),
    "XNode": (f"{_XML}.FirstNode", f'{_XML}.Element("b")', '((XNode)new XElement("n"))', '((XNode)new XText("t"))', f"{_XML}.LastNode"),
    "XContainer": (f"((XContainer){_XML})", "((XContainer)new XDocument())"),
    "XElement": (_XML, 'new XElement("e")', 'new XElement("e", "")', f'{_XML}.Element("b")', '((XElement)null)'),
    "XDocument": (f"new XDocument({_XML})", "new XDocument()", 'XDocument.Parse("<!--c--><r/>")'),
    "XAttribute": ('new XAttribute("k", "v<")', f"{_XML}.FirstAttribute", f"{_XML}.LastAttribute"),
    "XText": ('new XText("t&")', 'new XText("")'),
    "XCData": ('new XCData("d")',),
    "XComment": ('new XComment("c")',),
    "XProcessingInstruction": ('new XProcessingInstruction("p", "d")',),
    "XDeclaration": ('new XDeclaration("1.0", "utf-8", null)', "((XDeclaration)null)"),
    "XmlNodeType": ("XmlNodeType.Element", f"{_XML}.FirstNode.NodeType"),
    "SaveOptions": ("SaveOptions.None", "SaveOptions.DisableFormatting"),
    "LoadOptions": ("LoadOptions.None", "LoadOptions.PreserveWhitespace"),
    "IEnumerable<XElement>": (f"{_XML}.Elements()", f"new[] {{ {_XML} }}", "new XElement[0]"),
    "IEnumerable<XDocument>": (f"new[] {{ new XDocument({_XML}) }}",),
    "IEnumerable<XText>": ('new[] { new XText("t") }', "new XText[0]"),
    "IEnumerable<XAttribute>": (f"{_XML}.Attributes()",),
    # what API Management gives
    "context": ("context",),
    "IApi": ("context.Api",),
    "IOperation": ("context.Operation",),
    "IProduct": ("context.Product",),
    "ISubscription": ("context.Subscription",),
    "IUser": ("context.User",),
    "IGroup": ("context.User.Groups.First()",),
    "IDeployment": ("context.Deployment",),
    "IGateway": ("context.Deployment.Gateway",),
    "ILastError": ("context.LastError",),
    "IUrl": ("context.Request.Url", "context.Request.OriginalUrl", "context.Api.ServiceUrl"),
    "IRequest": ("context.Request",),
    "IResponse": ("context.Response",),
    "IMessageBody": ("context.Request.Body", "context.Response.Body"),
    "IHeaders": ("context.Request.Headers", "context.Response.Headers"),
    "IQuery": ("context.Request.OriginalUrl.Query", "context.Request.Url.Query", "context.Api.ServiceUrl.Query"),
    "IClaims": ('((Jwt)context.Variables["jwt"]).Claims',),
    "IVariables": ("context.Variables",),
    "IParameters": ("context.Request.MatchedParameters",),
    "ICertificates": ("context.Deployment.Certificates",),
    "Jwt": ('((Jwt)context.Variables["jwt"])',),
    "BasicAuthCredentials": ('"Basic dTpwOnE=".AsBasic()',),
    "Authorization": ('((Authorization)context.Variables["authorization"])',),
    **{name: (f"new {name}()", f'new {name}("m")') for name in ("Exception", *BASES)},
}
"""Values at the edges of a type, and those of types that no generated program has."""


_JSON = ('"{}"', '"[]"', '"5"', '"null"', '"{\\"a\\":1,\\"a\\":2}"', '"[1,2"', '"{\'a\':\'b\'}"', '"\\"t\\""', '" [1.50, 1e2, -0] "',
         '"{\\"d\\":\\"2024-02-03T04:05:06Z\\"}"', '"[\\"\\\\u0041\\", \\"\\\\n\\"]"', '"tru"', '"[true,false,null]"', '""',
         '"{\\"a\\":{\\"b\\":[{}]}}"', '"1 2"', '"[1,]"', '"{a:1}"', '"12345678901234567890"', '"/*c*/1"')
_INTEGERS = ('"12"', '"-7"', '" 5 "', '"+3"', '"1,000"', '"0x1F"', '"2147483648"', '"-2147483649"', '"255"', '"256"', '"65536"', '"-1"',
             '"18446744073709551616"', '"9223372036854775807"', '"007"', '"1.0"', '"1e3"', '""', '" "', '"- 1"', '"\\u0661"', '"128"')
_DOUBLES = ('"1.5"', '"-.5"', '"1e3"', '"1,234.5"', '"NaN"', '"Infinity"', '"-Infinity"', '"1e400"', '" 2 "', '"."', '"1.5f"', '""', '"5."',
            '"-0"', '"(1)"', '"$1"', '"1e"', '"0.1"', '"123456789012345678"')
_BOOLS = ('"true"', '"False"', '" TRUE "', '"1"', '""', '"yes"', '"tRuE\\0"')
_GUIDS = ('"0f8fad5b-d9cb-469f-a165-70867728950e"', '"{0F8FAD5B-D9CB-469F-A165-70867728950E}"', '"0f8fad5bd9cb469fa16570867728950e"',
          '"(0f8fad5b-d9cb-469f-a165-70867728950e)"', '" 0f8fad5b-d9cb-469f-a165-70867728950e "', '"0f8fad5b-d9cb-469f-a165-70867728950"', '""', '"x"')
_DATES = ('"2024-02-03T04:05:06Z"', '"2024-02-03T04:05:06.1234567Z"', '"2024-02-03"', '"2024-02-03T04:05:06"', '"2024-02-30T00:00:00Z"',
          '"2024-02-03T04:05:06+02:00"', '"abc"', '""', '"0001-01-01T00:00:00+02:00"', '"2024-02-03 04:05:06"', '"12:30"',
          '"Sat, 03 Feb 2024 04:05:06 GMT"', '"2/3/2024"', '"2024-02-03T24:00:00Z"')
_BASE64 = ('"YWJj"', '"YQ=="', '"YW I="', '"YWJ"', '"=="', '""', '"_-8="', '"YWJjZA==YQ=="', '"YR=="')
_URIS = ('"https://h.example/p?q=1"', '"http://h.example:8080"', '"/relative"', '"https://H.Example/A b"', '""', '"https://h.example/a/../b"',
         '"https://u:p@h.example/"', '"https://h.example/p#f"', '"ftp://h.example/x"', '"http://127.0.0.1:80/"', '"abc"')
_ESCAPED = ('"a%20b+c"', '"%41%zz"', '"%C3%A9"', '"%"', '"a&b=c/d?e"', '"\\u00e9 x"', '"~-_.!*()\'"', '"%2520"', '"<a href=\\"x\\">\'&amp;"',
            '"&lt;&#65;&nbsp;&unknown;"', '"\\ud83d\\ude00"', '"+"')
_KEYS = ('"a"', '"k"', '"x-one"', '"X-Two"', '"q"', '"S"', '"absent"', '"text"', '"number"', '"nothing"', '"jwt"', '"flag"', '"id"', '"roles"',
         '"sub"', '"Retry-After"', '"A"', '""')
ROLES: dict[str, tuple[str, ...]] = {
    "composite": ('"{0}-{1}"', '"{0,5}|{1,-5}|"', '"{0:D3}"', '"{{{0}}}"', '"{2}"', '"{0"', '"}"', '"{0:F2}{1:yyyy}"', '"none"',
                  '"{0:}"', '"{ 0}"', '"{0 ,3}"', '(string)null', '"{1:X}"'),
    "date_format": ('"yyyy-MM-dd"', '"o"', '"R"', '"s"', '"u"', '"HH:mm:ss.fff"', '"ddd, dd MMM yyyy"', '"yyyy-MM-ddTHH:mm:ssZ"', '"zzz"',
                    '"h tt"', '""', '(string)null', '"d"', '"G"', '"%d"', '"\'q\'yy"', '"FFF"', '"T"'),
    "integer_format": ('"D3"', '"X"', '"x8"', '"N0"', '"F2"', '"000"', '"#,##0"', '""', '(string)null', '"G"', '"E2"', '"P0"', '"0.0"',
                       '"D"', '"C"'),
    "double_format": ('"F2"', '"N1"', '"0.00"', '"0.0##"', '"#.##"', '"E3"', '"G"', '"R"', '"P1"', '""', '(string)null', '"F0"', '"000.0"',
                      '"G3"'),
    "encoding": ('"utf-8"', '"UTF-8"', '"us-ascii"', '"iso-8859-1"', '"ascii"', '"utf-16"', '"no-such"', '(string)null'),
    "message": ('"m"', '(string)null'),
    "path": ('"a"', '"a.b"', '"$.a"', '"a.b[0]"', '"[0]"', '"[\'a\']"', '"x.y"', '"[9]"', '""', '"$"', '"$..a"', '"[*]"', '(string)null',
             '"[1][0]"', '"[2].a"'),
    "pattern": ('"[0-9]+"', '"a"', '"(a|b)c?"', '"^\\\\s*\\\\w+"', '"x*"', '"\\\\b"', '"(?<n>[a-z])([0-9]?)"', '"[^,]+$"', '","', '"["', '"(?:ab)+"',
                '"l{1,2}"', '(string)null', '""', '"\\\\."', '"(?i)B"'),
    "preserveContent": ("true", "false"),
    "separator": ("new[] {','}", "','", "' '", "'a', 'b'", "(char[])null", "new char[0]"),
}
"""Values by the name of a parameter."""
_INTEGER_TYPES = ("sbyte", "byte", "short", "ushort", "int", "uint", "long", "ulong")
TOLD: dict[str, tuple[str, ...]] = {
    **{f"{name}.{call}": _INTEGERS for name in _INTEGER_TYPES for call in ("Parse", "TryParse")},
    **{f"Convert.To{name}": _INTEGERS for name in ("Int32", "Int64", "Byte")},
    **dict.fromkeys(("double.Parse", "double.TryParse", "Convert.ToDouble"), _DOUBLES),
    **dict.fromkeys(("bool.Parse", "bool.TryParse", "Convert.ToBoolean"), _BOOLS),
    **dict.fromkeys(("Guid.Parse", "Guid.TryParse", "Guid.new"), _GUIDS),
    "Guid.ToString": ('"D"', '"N"', '"B"', '"P"', '"X"', '""', '"q"', "(string)null"),
    **dict.fromkeys(("DateTime.Parse", "DateTime.TryParse", "DateTimeOffset.Parse"), _DATES),
    "Convert.FromBase64String": _BASE64,
    "Uri.new": _URIS,
    **dict.fromkeys(("Uri.EscapeDataString", "Uri.UnescapeDataString"), _ESCAPED),
    **{f"WebUtility.{name}": _ESCAPED for name in ("HtmlDecode", "HtmlEncode", "UrlDecode", "UrlEncode")},
    **{f"{name}.Parse": _JSON for name in ("JToken", "JObject", "JArray")},
    "JsonConvert.DeserializeObject": _JSON,
    **{f"{name}.{call}": _KEYS for name in ("IHeaders", "IQuery", "IClaims", "IVariables", "IParameters", "IReadOnlyDictionary<string, string[]>",
                                            "JObject", "Dictionary<string, int>", "IDictionary<string, IList<string>>")
       for call in ("this", "ContainsKey", "GetValueOrDefault", "TryGetValue", "GetValue", "Property", "Remove")},
    **dict.fromkeys(("ICertificates.this", "ICertificates.ContainsKey", "ICertificates.TryGetValue"), ('""', '"0123"', "(string)null")),
    **{f"{name}.Parse": ('"<a/>"', '"<a><b>1</b> </a>"', '"<a"', '""', '"<a> <b/> </a>"', "(string)null", '"<a>&amp;</a>"') for name in ("XElement", "XDocument")},
    **{f"{name}.Get": ('"a"', '"{urn:u}b"', '""', '"1"', "(string)null", '"{}x"') for name in ("XName", "XNamespace")},
    "XNamespace.GetName": ('"a"', '""', '"a b"', "(string)null"),
    **{f"{name}.{call}": ('"a"', '0', "-1", '"b"', "1", '"no"', "(object)null", "2.5") for name in ("JToken", "JObject", "JArray") for call in ("this", "Value")},
    **{f".{name}": ('"Basic dTpwOnE="', '"basic dQ=="', '"Basic !"', '"Bearer x"', '" Basic  dTpw "', "(string)null", '""')
       for name in ("AsBasic", "TryParseBasic")},
    **{f".{name}": ('"Bearer e30.e30.x"', '"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSIsImF1ZCI6WyJhIiwiYiJdfQ.s"', '"a.b"', "(string)null", '"a.b.c"', '""')
       for name in ("AsJwt", "TryParseJwt")},
    **{f".{name}": ('"Aes"', '"AES"') for name in ("Encrypt", "Decrypt")},
    "HashAlgorithmName.new": ('"SHA256"', '"x"', "(string)null"),
    "AsymmetricAlgorithm.ToXmlString": ("false",),
    "AsymmetricAlgorithm.FromXmlString": ("(string)null",),
    "X509Certificate2.new": ('(byte[])context.Variables["certificate"]',),
    "Regex.Escape": ('"a.b*c"', '"[x]{1}"', '"\\t #"'),
    "BitConverter.ToInt16": ("0", "1", "-1", "4", "3"), "BitConverter.ToInt32": ("0", "1", "-1", "2", "5"),
    "BitConverter.ToInt64": ("0", "8", "-1"),
    "Convert.ToInt32/2": ("16", "2", "8", "10", "7"),
    "DateTime.DaysInMonth": ("2", "12", "2024", "1900", "13", "0"), "DateTime.IsLeapYear": ("2024", "1900", "2000", "0", "10000"),
    "DateTime.new": ("1", "12", "2024", "28", "31", "0", "59", "638000000000000000", "DateTimeKind.Utc", "DateTimeKind.Local"),
    "DateTimeOffset.new": ("1", "12", "2024", "28", "0", "59", "TimeSpan.Zero", "TimeSpan.FromHours(2)", "DateTime.UtcNow",
                           "new DateTime(2024, 1, 2)", "TimeSpan.FromHours(15)", "TimeSpan.FromSeconds(1)"),
    "DateTimeOffset.FromUnixTimeSeconds": ("0", "1700000000", "-62135596800", "253402300800", "-1"),
    "DateTimeOffset.FromUnixTimeMilliseconds": ("0", "1700000000123", "-62135596800001", "-1"),
    "DateTimeOffset.ToOffset": ("TimeSpan.FromHours(2)", "TimeSpan.FromHours(-14)", "TimeSpan.FromHours(15)", "TimeSpan.FromSeconds(1)"),
    "Math.Round": ("2.345", "-2.5", "0", "1", "2", "15", "16", "0.5", "1.5", "1e17", "1234.5678", "MidpointRounding.AwayFromZero"),
    "Math.Pow": ("2", "10", "-1", "0", "0.5", "-2", "1e308", "3", "53", "4"),
    "Enumerable.Range": ("0", "1", "3", "-2", "int.MaxValue"), "Enumerable.Repeat": ("3", "0", "-1", '"r"', "7"),
    **dict.fromkeys(("string.Insert", "string.Remove", "string.Substring", "string.this"), ("0", "1", "2", "-1", "3", "12", '"x"', '""')),
    **dict.fromkeys(("string.PadLeft", "string.PadRight"), ("0", "5", "-1", "12", "'x'", "'.'")),
    **{f"string.{name}": ('"a"', '"b"', '"X"', '"x"', '""', '"Hello"', '"o"', '"ABC"', "'a'", "'X'", "'l'", "1", "0", "3", "-1", "StringComparison.Ordinal",
                          "StringComparison.OrdinalIgnoreCase", "StringComparison.CurrentCulture") for name in
       ("Contains", "EndsWith", "IndexOf", "LastIndexOf", "Replace", "StartsWith", "Equals", "Compare", "CompareOrdinal")},
    "string.Split": ("','", "new[] {',', ' '}", 'new[] {",", "--"}', "0", "1", "2", "-1", "100", "StringSplitOptions.None",
                     "StringSplitOptions.RemoveEmptyEntries", "(char[])null"),
    **{f"{kind}.{name}": ("0", "1", "-1", "2", "5") for kind in ("int[]", "string[]", "byte[]", "char[]", "List<int>", "List<string>",
                                                                "IList<string>", "GroupCollection", "MatchCollection", "JArray")
       for name in ("this", "RemoveAt", "Insert")},
    **{f".{name}": ("0", "1", "2", "-1", "100") for name in ("ElementAt", "ElementAtOrDefault", "Skip", "Take")},
    "Array.Copy": ("0", "1", "2", "-1"),
    "Random.Next": ("0", "1", "5", "-1", "10", "int.MaxValue"),
    "Encoding.GetString": ("0", "1", "2", "-1"),
    "StringBuilder.Insert": ("0", "1", "-1", "9", '"x"', "(string)null"),
}
"""Values by `Owner.Member`, used where they fit the parameter's type; `new` is a constructor, `this` an indexer."""

BODIES: dict[str, tuple[str, ...]] = {
    "int, bool": ("{0} > 1", "{0} % 2 == 0", "false", "10 / {0} > 3"),
    "string, bool": ("{0} == null", "{0}.Length > 1", '{0} != "a"', "true"),
    "double, bool": ("{0} > 1", "{0} == {0}"),
    "JToken, bool": ("{0}.Type == JTokenType.Integer", "{0}.HasValues"),
    "KeyValuePair<string, int>, bool": ("{0}.Value > 0",),
    "int, int": ("{0} * 2", "-{0}", "{0} % 3", "{0} + int.MaxValue"),
    "int, long": ("{0} * 2L", "{0} + 5000000000"),
    "int, double": ("{0} / 2.0", "{0} * 0.1"),
    "int, string": ('{0} + ""', '{0} > 1 ? "x" : null', '{0}.ToString("D2")'),
    "string, int": ("{0}.Length", "({0} ?? \"\").Length"),
    "string, long": ("(long){0}.Length",),
    "string, double": ("{0}.Length / 2.0",),
    "string, string": ("{0}", '{0} + "!"', "{0}.ToUpper()"),
    "double, int": ("(int){0}", "(int)({0} * 2)"),
    "double, long": ("(long){0}",),
    "double, double": ("{0} * 2", "-{0}"),
    "double, string": ('{0} + ""', '{0}.ToString("F1")'),
    "JToken, int": ("{0}.Children().Count()", "(int){0}"),
    "JToken, string": ("{0}.Type.ToString()", "(string){0}"),
    "JToken, long": ("(long){0}",),
    "JToken, double": ("(double){0}",),
    "KeyValuePair<string, int>, int": ("{0}.Value",),
    "KeyValuePair<string, int>, string": ("{0}.Key",),
    "int, int, bool": ("{0} > {1}", "{1} % 2 == 0"),
    "string, int, bool": ("{1} > 0", "{0}.Length > {1}"),
    "double, int, bool": ("{0} > {1}",),
    "int, int, int": ("{0} * 10 + {1}", "{0} - {1}"),
    "int, int, string": ('{0} + ":" + {1}', '$"{{{0}}}{{{1}}}"'),
    "int, string, int": ("{0} + {1}.Length",),
    "string, int, string": ("{0} + {1}",),
    "string, string, string": ("{0} + {1}", '{1} + "," + {0}'),
    "string, string, int": ("{0}.Length * 10 + {1}.Length",),
    "string, double, string": ("{0} + {1}",),
    "double, int, int": ("(int){0} + {1}",),
    "double, int, string": ('{0} + "@" + {1}',),
    "double, double, double": ("{0} + {1}", "{0} * {1}"),
    "double, string, string": ("{0} + {1}",),
    "int, IEnumerable<int>": ("Enumerable.Range(0, {0})", "new[] {{{0}, {0}}}"),
    "int, IEnumerable<string>": ('new[] {{{0} + ""}}',),
    "string, IEnumerable<string>": ("{0}.Split('a')",),
    "string, IEnumerable<int>": ("Enumerable.Range(0, {0}.Length)",),
    "double, IEnumerable<int>": ("Enumerable.Range(0, (int){0})",),
    "Match, string": ('"<" + {0}.Value + ">"', "{0}.Groups[0].Index + \"\"", "(string)null", "{0}.Groups[1].Value"),
}
"""Bodies of lambdas by what they take and give."""


WIDENED = {
    "short": ("(byte)3", "(sbyte)-3"),
    "int": ("'c'", "(byte)3", "(short)-2", "(ushort)7", "(sbyte)-1"),
    "uint": ("(byte)2", "'c'"),
    "long": ("5", "'c'", "7u", "(byte)2"),
    "ulong": ("5u", "'c'"),
    "double": ("3", "2L", "'c'", "4000000000", "1UL"),
}
"""Arguments of other types that C# converts, unless another overload takes them."""


# fmt: on
def values(one: Use, place: int) -> tuple[str, ...]:
    """Give values for a place of what a use needs: those that fit the member first.

    Raises `AssertionError`: there is none for this type.
    """
    type_, role = one.needs[place]
    is_receiver = one.has_receiver and place == 0
    if role in ROLES:
        return ROLES[role]
    if parse(type_).name in {"Func", "Predicate"}:
        return _lambdas(one, type_)
    ordinary = (*ORDINARY.get(type_, ()), *EXTREME.get(type_, ()))
    if type_ in _NULL:
        ordinary = (*ordinary, f"({type_})null")
    if not ordinary:
        raise AssertionError(
            f"{one.signature} takes {type_}, of which there is no value to draw: add some to values.EXTREME"
        )
    if is_receiver and one.kind != "extension":
        return ordinary
    name = "new" if one.kind == "new" else one.name
    told = TOLD.get(f"{one.owner}.{name}", ()) if not is_receiver or one.name in _OF_TEXT else ()
    return (*(text for text in told if _fits(text, type_)), *ordinary, *WIDENED.get(type_, ()))


_OF_TEXT = {"AsBasic", "TryParseBasic", "AsJwt", "TryParseJwt"}


def _lambdas(one: Use, type_: str) -> tuple[str, ...]:
    found = parse(type_)
    inputs = found.args if found.name == "Predicate" else found.args[:-1]
    key = ", ".join(map(str, (*inputs, "bool" if found.name == "Predicate" else found.args[-1])))
    if key not in BODIES:
        raise AssertionError(f"{one.signature} takes a function of ({key}): add a body to values.BODIES")
    names = ("x", "y")[: len(inputs)]
    head = names[0] if len(names) == 1 else f"({', '.join(names)})"
    return tuple(f"{head} => {body.format(*names)}" for body in BODIES[key])


def _fits(text: str, type_: str) -> bool:
    """Tell whether a told value is of a type, by how it is written."""
    kinds = {
        '"': "string object",
        "'": "char",
        "(string)": "string object",
        "(object)": "object",
        "(char[])": "char[]",
        "(byte[])": "byte[]",
        "new[] {'": "char[]",
        'new[] {"': "string[]",
        "true": "bool",
        "false": "bool",
    }
    for start, fitting in kinds.items():
        if text.startswith(start):
            return type_ in fitting.split(" ")
    head = text.partition(".")[0].removeprefix("new ").partition("(")[0]
    if head in {"StringComparison", "StringSplitOptions", "DateTimeKind", "MidpointRounding", "TimeSpan", "DateTime"}:
        return type_ == head
    if text == "int.MaxValue":
        return type_ in {"int", "long", "double", "object"}
    digits = text.lstrip("-")
    if digits.isdigit():
        return type_ in ({"int", "long", "double", "object"} if len(digits) < 10 else {"long", "double", "object"})
    return type_ in {"double", "object"}
