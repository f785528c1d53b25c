import HTTP
import Testing

/// W3C Trace Context Level 1, and cookies.
@Suite("A trace context")
struct TraceContextTests {
    static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    static let span = "00f067aa0ba902b7"

    @Test("is read, also of a later version, by its first four parts")
    func valid() throws {
        let context = try #require(TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-01"))
        #expect((context.traceID, context.parentID, context.isSampled) == (Self.trace, Self.span, true))
        #expect(TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-00")?.isSampled == false)
        // Flags that are not known yet say nothing.
        #expect(TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-fe")?.isSampled == false)
        #expect(TraceContext(traceparent: "cc-\(Self.trace)-\(Self.span)-01")?.traceID == Self.trace)
        #expect(TraceContext(traceparent: "cc-\(Self.trace)-\(Self.span)-01-what-comes")?.traceID == Self.trace)
        #expect(context.traceparent(from: "b7ad6b7169203331") == "00-\(Self.trace)-b7ad6b7169203331-01")
    }

    @Test(
        "is none when it is malformed",
        arguments: [
            "", "00", "00-\(trace)-\(span)", "00-\(trace)-\(span)-01-more", "ff-\(trace)-\(span)-01",
            "00-\(trace.uppercased())-\(span)-01", "00-00000000000000000000000000000000-\(span)-01",
            "00-\(trace)-0000000000000000-01", "00-\(trace)a-\(span)-01", "00-\(trace)-\(span)-1",
            "00-\(trace)-\(span)-0g", " 00-\(trace)-\(span)-01", "0-\(trace)-\(span)-01", "00_\(trace)_\(span)_01",
        ])
    func malformed(_ text: String) { #expect(TraceContext(traceparent: text) == nil) }

    @Test("is none when it is said twice")
    func twice() {
        let parent = "00-\(Self.trace)-\(Self.span)-01"
        #expect(TraceContext([.traceparent: parent]) != nil)
        #expect(TraceContext([.traceparent: parent, .traceparent: parent]) == nil)
        #expect(TraceContext([:]) == nil)
    }

    private func state(_ lists: String...) -> String? {
        var fields: HTTPFields = [.traceparent: "00-\(Self.trace)-\(Self.span)-01"]
        for list in lists { fields.append(.tracestate, list) }
        return TraceContext(fields)?.state
    }

    @Test("passes on what vendors keep, unchanged, or drops all of it")
    func vendors() {
        #expect(state("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE") == "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
        #expect(state("a=1", " b=2 ,") == "a=1, b=2 ,")
        #expect(state("fw529a3039@dt=FfAAAA,0t@v=x") != nil)
        for bad in ["", "a", "=1", "a=", "A=1", "a=1,a=2", "a=b=c", "0a=1", "a@b@c=1", "a@=1", "a=\u{7F}"] {
            #expect(state(bad) == nil, "\(bad)")
        }
        #expect(state((0..<32).map { "k\($0)=v" }.joined(separator: ",")) != nil)
        #expect(state((0..<33).map { "k\($0)=v" }.joined(separator: ",")) == nil)
        #expect(state("a=" + String(repeating: "x", count: 257)) == nil)
    }

    @Test("Cookies are found by their whole name")
    func cookies() {
        let fields: HTTPFields = [.cookie: "a=1; token=x; xtoken=y", .cookie: "token=\"z\";b; token =no"]
        #expect(Cookies.values(of: "token", in: fields) == ["x", "z"])
        #expect(Cookies.values(of: "b", in: fields).isEmpty)
        #expect(
            Cookies.credential("t", "v", maxAgeSeconds: 60, isSecure: true)
                == "t=v; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure")
    }
}
