// A stand-in for what API Management gives to policy expressions, and a printer of what they give back.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

public class Lookup : IReadOnlyDictionary<string, string[]>
{
    readonly List<KeyValuePair<string, string[]>> entries = new List<KeyValuePair<string, string[]>>();
    readonly StringComparer comparer;
    public Lookup(IEnumerable<string[]> pairs, StringComparer comparer)
    {
        this.comparer = comparer;
        foreach (var pair in pairs)
        {
            var place = entries.FindIndex(entry => comparer.Equals(entry.Key, pair[0]));
            if (place < 0) entries.Add(new KeyValuePair<string, string[]>(pair[0], new[] { pair[1] }));
            else entries[place] = new KeyValuePair<string, string[]>(entries[place].Key, entries[place].Value.Concat(new[] { pair[1] }).ToArray());
        }
    }
    public string[] this[string key] { get { string[] value; if (!TryGetValue(key, out value)) throw new KeyNotFoundException(); return value; } }
    public IEnumerable<string> Keys { get { return entries.Select(entry => entry.Key); } }
    public IEnumerable<string[]> Values { get { return entries.Select(entry => entry.Value); } }
    public int Count { get { return entries.Count; } }
    public bool ContainsKey(string key) { string[] value; return TryGetValue(key, out value); }
    public bool TryGetValue(string key, out string[] value)
    {
        if (key == null) throw new ArgumentNullException();
        value = entries.Where(entry => comparer.Equals(entry.Key, key)).Select(entry => entry.Value).FirstOrDefault();
        return value != null;
    }
    public IEnumerator<KeyValuePair<string, string[]>> GetEnumerator() { return entries.GetEnumerator(); }
    IEnumerator IEnumerable.GetEnumerator() { return GetEnumerator(); }
}

public class IUrl
{
    public string Scheme, Host, Path, QueryString;
    public int Port;
    public Lookup query;
    public IReadOnlyDictionary<string, string[]> Query { get { return query; } }
    public override string ToString()
    { return Scheme + "://" + Host + (Port == (Scheme == "https" ? 443 : 80) ? "" : ":" + Port) + Path + QueryString; }
    public Uri ToUri() { return new Uri(ToString()); }
}

public class IMessageBody
{
    readonly byte[] content;
    bool consumed;
    public IMessageBody(string text) { content = Encoding.UTF8.GetBytes(text); }
    public T As<T>(bool preserveContent = false)
    {
        if (consumed) throw new Unsure();
        consumed = !preserveContent;
        var text = Encoding.UTF8.GetString(content);
        if (typeof(T) == typeof(string)) return (T)(object)text;
        if (typeof(T) == typeof(byte[])) return (T)(object)content.ToArray();
        if (typeof(T) == typeof(JObject)) return (T)(object)JObject.Parse(text);
        if (typeof(T) == typeof(JArray)) return (T)(object)JArray.Parse(text);
        if (typeof(T) == typeof(JToken)) return (T)(object)JToken.Parse(text);
        throw new Unsure();
    }
    public IDictionary<string, IList<string>> AsFormUrlEncodedContent(bool preserveContent = false)
    {
        var text = As<string>(preserveContent);
        return Judge.Pairs(text).GroupBy(pair => pair[0]).ToDictionary(g => g.Key, g => (IList<string>)g.Select(p => p[1]).ToList());
    }
}

public class Unsure : Exception { }
public class IMessage { public Lookup headers; public IMessageBody Body; public IReadOnlyDictionary<string, string[]> Headers { get { return headers; } } }
public class IRequest : IMessage
{
    public string Method, IpAddress;
    public X509Certificate2 Certificate;
    public IUrl Url, OriginalUrl;
    public Dictionary<string, string> parameters;
    public IReadOnlyDictionary<string, string> MatchedParameters { get { return parameters; } }
}
public class IResponse : IMessage { public int StatusCode; public string StatusReason; }
public class IGroup { public string Id, Name; }
public class IUser { public string Id, Email, FirstName, LastName, Note; public IEnumerable<IGroup> Groups; }
public class INamed { public string Id, Name, Key; }
public class IProduct : INamed { }
public class ISubscription : INamed { public string PrimaryKey, SecondaryKey; }
public class IApi { public string Id, Name, Path, Revision, Version; public bool IsCurrentRevision; public IUrl ServiceUrl; }
public class IOperation { public string Id, Name, Method, UrlTemplate; }
public class IGateway { public string Id = "managed", InstanceId = "managed"; public bool IsManaged = true; }
public class IDeployment { public string ServiceName, ServiceId, Region, GatewayId = "managed"; public IGateway Gateway = new IGateway();
    public IReadOnlyDictionary<string, X509Certificate2> Certificates = new Dictionary<string, X509Certificate2>(); }
public class ILastError { public string Source, Reason, Message, Scope, Section, Path, PolicyId; }
public class BasicAuthCredentials { public string UserId, Password; }
public class Authorization
{
    public string AccessToken;
    public IReadOnlyDictionary<string, object> Claims = new Dictionary<string, object>();
}
public class Jwt
{
    public string Id, Issuer, Subject, Algorithm, Type;
    public IEnumerable<string> Audiences;
    public Lookup claims;
    public IReadOnlyDictionary<string, string[]> Claims { get { return claims; } }
    public DateTime? ExpirationTime, NotBefore;
    public static Jwt Of(JObject header, JObject payload)
    {
        var pairs = payload.Properties().SelectMany(p => Flat(p.Value).Select(v => new[] { p.Name, v })).ToArray();
        Func<JObject, string, string> text = (o, name) => o[name] != null && o[name].Type == JTokenType.String ? (string)o[name] : null;
        Func<string, DateTime?> time = name => payload[name] == null ? (DateTime?)null : DateTimeOffset.FromUnixTimeSeconds((long)payload[name]).UtcDateTime;
        var jwt = new Jwt { claims = new Lookup(pairs, StringComparer.Ordinal), Id = text(payload, "jti"), Issuer = text(payload, "iss"), Subject = text(payload, "sub") };
        jwt.Algorithm = text(header, "alg"); jwt.Type = text(header, "typ"); jwt.ExpirationTime = time("exp"); jwt.NotBefore = time("nbf");
        jwt.Audiences = jwt.claims.ContainsKey("aud") ? jwt.claims["aud"] : new string[0];
        return jwt;
    }
    static IEnumerable<string> Flat(JToken value)
    {
        if (value is JArray) return value.Where(item => !(item is JArray)).SelectMany(Flat);
        if (value.Type == JTokenType.Boolean) return new[] { (bool)value ? "true" : "false" };
        return value.Type == JTokenType.String || value.Type == JTokenType.Integer ? new[] { (string)value } : new string[0];
    }
}

public class Context
{
    public IApi Api; public IDeployment Deployment; public ILastError LastError; public IOperation Operation; public IProduct Product;
    public IRequest Request; public Guid RequestId; public IResponse Response; public ISubscription Subscription; public IUser User;
    public DateTime Timestamp; public TimeSpan Elapsed; public bool Tracing;
    public Dictionary<string, object> variables;
    public IReadOnlyDictionary<string, object> Variables { get { return variables; } }
    public void Trace(string message) { }
}

public static class PolicyExtensions
{
    public static bool VerifyNoRevocation(this X509Certificate2 certificate) { throw new Unsure(); }
    public static string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> d, string name, string value = null)
    { string[] found; return d.TryGetValue(name, out found) ? string.Join(",", found) : value; }
    public static string GetValueOrDefault(this IDictionary<string, string> d, string name, string value)
    { string found; return d.TryGetValue(name, out found) ? found : value; }
    public static string GetValueOrDefault(this IReadOnlyDictionary<string, string> d, string name, string value = null)
    { string found; return d.TryGetValue(name, out found) ? found : value; }
    public static object GetValueOrDefault(this IReadOnlyDictionary<string, object> d, string name)
    { object found; return d.TryGetValue(name, out found) ? found : null; }
    public static T GetValueOrDefault<T>(this IReadOnlyDictionary<string, object> d, string name)
    { object found; return d.TryGetValue(name, out found) ? (T)found : default(T); }
    public static T GetValueOrDefault<T>(this IReadOnlyDictionary<string, object> d, string name, T value)
    { object found; return d.TryGetValue(name, out found) ? (T)found : value; }
    public static Jwt AsJwt(this string text)
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        text = text.Trim();
        if (text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) text = text.Substring(7).Trim();
        var parts = text.Split('.');
        if (parts.Length != 3) return null;
        try { return Jwt.Of(Part(parts[0]), Part(parts[1])); } catch (Exception) { return null; }
    }
    static JObject Part(string text)
    { text = text.Replace('-', '+').Replace('_', '/'); return JObject.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(text + new string('=', (4 - text.Length % 4) % 4)))); }
    public static bool TryParseJwt(this string text, out Jwt jwt) { jwt = text.AsJwt(); return jwt != null; }
    public static BasicAuthCredentials AsBasic(this string text)
    {
        if (text == null || !text.Trim().StartsWith("basic ", StringComparison.OrdinalIgnoreCase)) return null;
        try
        {
            var plain = Encoding.UTF8.GetString(Convert.FromBase64String(text.Trim().Substring(6).Trim()));
            var colon = plain.IndexOf(':');
            return colon < 0 ? null : new BasicAuthCredentials { UserId = plain.Substring(0, colon), Password = plain.Substring(colon + 1) };
        }
        catch (FormatException) { return null; }
    }
    public static bool TryParseBasic(this string text, out BasicAuthCredentials found) { found = text.AsBasic(); return found != null; }
    public static bool ContainsKey(this JObject value, string name)
    { if (name == null) throw new ArgumentNullException(); return value.Property(name) != null; }
    static SymmetricAlgorithm Cipher(string name, byte[] key, byte[] iv)
    { var cipher = Aes.Create(); cipher.Key = key; cipher.IV = iv; return cipher; }
    public static byte[] Encrypt(this byte[] data, string name, byte[] key, byte[] iv)
    { return Cipher(name, key, iv).CreateEncryptor().TransformFinalBlock(data, 0, data.Length); }
    public static byte[] Decrypt(this byte[] data, string name, byte[] key, byte[] iv)
    { return Cipher(name, key, iv).CreateDecryptor().TransformFinalBlock(data, 0, data.Length); }
}

public class FixedRandom : Random
{
    public override int Next() { return 0; }
    public override int Next(int high) { if (high < 0) throw new ArgumentOutOfRangeException(); return 0; }
    public override int Next(int low, int high) { if (low > high) throw new ArgumentOutOfRangeException(); return low; }
    public override double NextDouble() { return 0.0; }
    public override void NextBytes(byte[] buffer) { if (buffer == null) throw new ArgumentNullException(); Array.Clear(buffer, 0, buffer.Length); }
}

public static class Judge
{
    public static DateTime UtcNow, Now, Today;
    public static DateTimeOffset Offset;
    public static Guid NewGuid() { return new Guid("0f8fad5b-d9cb-469f-a165-70867728950e"); }
    public static IEnumerable<string[]> Pairs(string query)
    {
        return query.Split(new[] { '&' }, StringSplitOptions.RemoveEmptyEntries).Select(piece =>
        { var at = piece.IndexOf('='); return new[] { WebUtility.UrlDecode(at < 0 ? piece : piece.Substring(0, at)), at < 0 ? "" : WebUtility.UrlDecode(piece.Substring(at + 1)) }; });
    }
    static Lookup Headers(JToken pairs) { return new Lookup(pairs.Select(p => new[] { (string)p[0], (string)p[1] }), StringComparer.OrdinalIgnoreCase); }
    static IUrl Url(JToken u)
    {
        if (u == null || u.Type == JTokenType.Null) return null;
        var query = (string)u["query"];
        return new IUrl { Scheme = (string)u["scheme"], Host = (string)u["host"], Port = (int)u["port"], Path = (string)u["path"],
            QueryString = query == "" ? "" : "?" + query, query = new Lookup(Pairs(query), StringComparer.OrdinalIgnoreCase) };
    }
    static IResponse Response(JToken r)
    {
        if (r == null || r.Type == JTokenType.Null) return null;
        return new IResponse { StatusCode = (int)r["status"], StatusReason = (string)r["reason"], headers = Headers(r["headers"]), Body = new IMessageBody((string)r["body"]) };
    }
    static object Variable(JToken v)
    {
        var value = v["v"];
        switch ((string)v["t"])
        {
            case "string": return (string)value;
            case "int": return (int)value;
            case "long": return (long)value;
            case "double": return v["bits"] == null ? (double)value : BitConverter.Int64BitsToDouble((long)v["bits"]);
            case "bool": return (bool)value;
            case "DateTime": return new DateTime((long)value, DateTimeKind.Utc);
            case "JObject": return JObject.Parse((string)value);
            case "JArray": return JArray.Parse((string)value);
            case "JToken": return JToken.Parse((string)value);
            case "Jwt": return Jwt.Of((JObject)JObject.Parse((string)value), (JObject)JObject.Parse((string)v["p"]));
            case "IResponse": return Response(value);
            case "Authorization": return new Authorization { AccessToken = (string)value };
            case "byte[]": return Convert.FromBase64String((string)value);
            default: return null;
        }
    }
    static Context Load(JToken s)
    {
        var r = s["request"];
        var named = s["named"];
        var context = new Context
        {
            RequestId = new Guid("00000000-0000-0000-0000-0000000000ff"), Response = Response(s["response"]), Timestamp = UtcNow, Tracing = false,
            Deployment = new IDeployment { ServiceName = "contoso", Region = "West Europe" },
            Api = new IApi { Id = "openai", Name = "openai", Path = "v1/openai", Revision = "1", Version = "v1", IsCurrentRevision = true, ServiceUrl = Url(s["service"]) },
            Operation = new IOperation { Id = "chat", Name = "Chat", Method = "POST", UrlTemplate = "/chat" },
            variables = ((JObject)s["variables"]).Properties().ToDictionary(p => p.Name, p => Variable(p.Value)),
            Request = new IRequest { Method = (string)r["method"], IpAddress = "127.0.0.1", headers = Headers(r["headers"]), Url = Url(r["url"]), OriginalUrl = Url(r["original"]),
                Body = r["body"].Type == JTokenType.Null ? null : new IMessageBody((string)r["body"]),
                parameters = ((JObject)r["parameters"]).Properties().ToDictionary(p => p.Name, p => (string)p.Value) },
        };
        if ((bool)named)
        {
            context.Product = new IProduct { Id = "starter", Name = "Starter" };
            context.Subscription = new ISubscription { Id = "sub", Name = "Sub", Key = "k3y" };
            context.User = new IUser { Id = "u1", Email = "u@example.com", FirstName = "Ann", LastName = "Lee", Note = "n", Groups = new[] { new IGroup { Id = "g", Name = "developers" } } };
            context.LastError = new ILastError { Source = "validate-jwt", Reason = "TokenExpired", Message = "m", Scope = "api", Section = "inbound", Path = "p", PolicyId = "id" };
        }
        return context;
    }

    public static string Show(object value)
    {
        if (value == null) return "null";
        if (value is string) return "s:" + JsonConvert.SerializeObject(((string)value).Replace("\r\n", "\n"), new JsonSerializerSettings { StringEscapeHandling = StringEscapeHandling.EscapeNonAscii });
        if (value is char) return "c:" + (int)(char)value;
        if (value is bool) return (bool)value ? "true" : "false";
        if (value is double && double.IsNaN((double)value)) return "d:NaN";
        if (value is double) return "d:" + BitConverter.DoubleToInt64Bits((double)value).ToString("x16");
        if (value is DateTime) return "t:" + ((DateTime)value).Ticks + ":" + ((DateTime)value).Kind;
        if (value is DateTimeOffset) return "o:" + ((DateTimeOffset)value).UtcTicks + ":" + ((DateTimeOffset)value).Offset.Ticks;
        if (value is TimeSpan) return "p:" + ((TimeSpan)value).Ticks;
        if (value is Enum) return value.GetType().Name + "." + value;
        if (value is System.Xml.Linq.XObject || value is System.Xml.Linq.XName || value is System.Xml.Linq.XNamespace || value is System.Xml.Linq.XDeclaration)
            return value.GetType().Name + ":" + Show(value.ToString());
        if (value is JToken)
        {
            var settings = new JsonSerializerSettings { StringEscapeHandling = StringEscapeHandling.EscapeNonAscii };
            return value.GetType().Name + (value is JProperty ? ":" + Show(((JProperty)value).Name) + ((JProperty)value).Value.ToString(Formatting.None) : ":" + JsonConvert.SerializeObject(value, Formatting.None, settings));
        }
        var type = value.GetType();
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>))
            return "(" + Show(type.GetProperty("Key").GetValue(value)) + "=" + Show(type.GetProperty("Value").GetValue(value)) + ")";
        if (type.Name.StartsWith("<>"))
            return "{" + string.Join(",", type.GetProperties().Select(p => p.Name + "=" + Show(p.GetValue(value)))) + "}";
        if (type.FullName.StartsWith("System.ValueTuple"))
            return "<" + string.Join(",", type.GetFields().Select(f => Show(f.GetValue(value)))) + ">";
        if (value is IEnumerable) return "[" + string.Join(",", ((IEnumerable)value).Cast<object>().Select(Show)) + "]";
        if (value is System.Text.RegularExpressions.Group) return "m:" + Show(((System.Text.RegularExpressions.Group)value).Value);
        if (value is StringBuilder) return "StringBuilder:" + Show(value.ToString());
        if (value is Uri) return "Uri:" + ((Uri)value).AbsoluteUri;
        if (value is IConvertible || value is Guid) return type.Name + ":" + value;
        return type.Name;
    }

    public static int Main(string[] args)
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.DateTimeFormat = (DateTimeFormatInfo)new CultureInfo("en-US").DateTimeFormat.Clone();
        CultureInfo.DefaultThreadCurrentCulture = System.Threading.Thread.CurrentThread.CurrentCulture = culture;
        UtcNow = new DateTime(long.Parse(args[1]), DateTimeKind.Utc);
        Now = new DateTime(UtcNow.Ticks, DateTimeKind.Local);
        Today = Now.Date;
        Offset = new DateTimeOffset(UtcNow);
        var output = new StreamWriter(args[2], false, new UTF8Encoding(false)) { NewLine = "\n" };
        foreach (var line in File.ReadLines(args[0]))
        {
            JToken call;
            using (var reader = new JsonTextReader(new StringReader(line)) { DateParseHandling = DateParseHandling.None }) call = JToken.ReadFrom(reader);
            var method = typeof(Judge).Assembly.GetType("Case" + call["case"]).GetMethod("Run");
            var result = "!Timeout";
            var thread = new System.Threading.Thread(() =>
            {
                try
                {
                    var run = (Func<Context, object>)Delegate.CreateDelegate(typeof(Func<Context, object>), method);
                    result = Show(run(Load(call["scenario"])));
                }
                catch (System.Threading.ThreadAbortException) { }
                catch (Exception error) { result = "!" + error.GetType().Name; }
            });
            thread.Start();
            if (!thread.Join(3000)) { thread.Abort(); thread.Join(3000); }
            output.WriteLine(result);
        }
        output.Close();
        return 0;
    }
}
