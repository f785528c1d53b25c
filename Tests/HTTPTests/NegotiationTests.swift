import HTTP
import Testing

@Suite("What a client would like to get")
struct NegotiationTests {
    private static let offers = ["application/json", "application/x-ndjson", "application/cloudevents+json"]

    @Test(
        "is the heaviest range that fits, the more exact one, the server's first",
        arguments: [
            ([], "application/json"), ([""], "application/json"), (["*/*"], "application/json"),
            (["application/*"], "application/json"), (["application/x-ndjson"], "application/x-ndjson"),
            (["Application/X-NDJSON"], "application/x-ndjson"),
            (["application/x-ndjson, */*"], "application/x-ndjson"),
            (["text/html, application/x-ndjson;q=0.5, application/json;q=0.4"], "application/x-ndjson"),
            (["application/x-ndjson;q=0.4, */*;q=0.5"], "application/json"),
            // The most exact range decides, not the heaviest.
            (["application/json;q=0.1, */*"], "application/x-ndjson"),
            (["application/json;q=0, application/*;q=0.2"], "application/x-ndjson"),
            (["*/*;q=0.001"], "application/json"),
            // Several fields are one list, and blanks are allowed where the grammar says.
            (["text/html", " application/x-ndjson ; q=0.9 ,"], "application/x-ndjson"),
            (["application/json ;charset=UTF-8"], "application/json"),
            (["application/json;charset=\"utf-8\";q=1.000"], "application/json"),
            // A separator in a quoted string is none.
            (["text/plain;x=\"a,application/json;q=1\", application/x-ndjson;q=0.1"], "application/x-ndjson"),
            // What is malformed is passed over; with nothing left there is no wish.
            (["application, application/x-ndjson;q=0.2"], "application/x-ndjson"),
            (["*/json, application/json;q=2, application/json;q=0.1234, x/;q=1"], "application/json"),
        ])
    func best(_ fields: [String], _ expected: String) {
        #expect(AcceptedMediaTypes(fields).best(of: Self.offers) == expected)
    }

    @Test(
        "may be nothing that can be had",
        arguments: [
            "text/html", "*/*;q=0", "application/*;q=0.0", "application/json;version=2", "text/*, image/png",
            "application/json;q=0, application/x-ndjson;q=0.000, application/cloudevents+json;q=0",
        ])
    func none(_ field: String) {
        #expect(AcceptedMediaTypes([field]).best(of: Self.offers) == nil)
    }
}

@Suite("An entity tag")
struct EntityTagTests {
    @Test(
        "is known to who names it, weakly or among others, or says any",
        arguments: [
            (["\"a1\""], true), (["W/\"a1\""], true), (["\"x\", \"a1\""], true), (["\"x\"", "W/\"y\" ,\"a1\""], true),
            (["*"], true), (["\"x,\\\"a1\""], false), ([], false), ([""], false), (["a1"], false), (["\"A1\""], false),
            (["w/\"a1\""], false), (["\"a1"], false),
        ])
    func known(_ fields: [String], _ isKnown: Bool) {
        let tag = EntityTag("a1")
        #expect(tag.description == "\"a1\"")
        #expect(tag.isKnown(by: fields) == isKnown)
    }
}

@Suite("A link")
struct WebLinkTests {
    @Test(
        "to the next page keeps all other parameters",
        arguments: [
            ("/v1/runs", "</v1/runs?cursor=c%3D1>; rel=\"next\""),
            (
                "/v1/runs?limit=2&cursor=old&status=queued",
                "</v1/runs?limit=2&status=queued&cursor=c%3D1>; rel=\"next\""
            ),
            ("/v1/a%20b?x=%C3%A9&x=1+2", "</v1/a%20b?x=%C3%A9&x=1%202&cursor=c%3D1>; rel=\"next\""),
            ("/v1/e?event_types=a,b&f", "</v1/e?event_types=a%2Cb&f=&cursor=c%3D1>; rel=\"next\""),
        ])
    func next(_ target: String, _ link: String) throws {
        #expect(WebLink.next(after: try HTTPTarget(target), cursor: "c=1").description == link)
    }
}
