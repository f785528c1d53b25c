import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("Search")
struct SearchTests {
    private func search(
        _ client: APIClient, _ text: String, _ more: [(String, String)] = []
    ) throws -> Answered {
        try client.get("/v1/search" + PercentEncoding.query([("q", text)] + more))
    }

    /// The texts found, best first.
    private func found(_ client: APIClient, _ text: String, _ more: [(String, String)] = []) throws -> [String] {
        let answer = try search(client, text, more)
        guard answer.status == 200 else { throw TestFailure("\(text): \(answer.text)") }
        return answer["docs"]?.arrayValue?.compactMap { $0["content_text"]?.stringValue } ?? []
    }

    /// A thread in which each of the texts was said, in this order.
    @discardableResult
    private func said(_ api: TestAPI, _ texts: [String], in workspace: WorkspaceID? = nil) throws -> String {
        let thread = try api.thread(in: api.room(in: workspace), workspace: workspace)
        for text in texts {
            let answer = try api.operator(in: workspace).post(
                "/v1/threads/\(thread)/messages", ["content_md": .string(text), "lang": "en"])
            guard answer.status == 201 else { throw TestFailure("not said: \(answer.text)") }
            // Later messages have later identifiers.
            api.clock.advance(1)
        }
        return thread
    }

    @Test("finds parts of words, whatever their case, two characters or more", arguments: Transports.allCases)
    func substrings(_ transports: Transports) throws {
        try withAPI(transports) { api in
            try said(api, ["The Backup finished", "ΣΊΣΥΦΟΣ rolls on", "新東京都", "end with Xy"])
            let client = api.operator
            for text in ["backup", "ACKU", "kup fin", "ed", "THE B", "ck"] {
                #expect(try found(client, text) == ["The Backup finished"], "\(text)")
            }
            for text in ["σίσυφος", "φος"] { #expect(try found(client, text) == ["ΣΊΣΥΦΟΣ rolls on"], "\(text)") }
            for text in ["東京", "新東", "京都", "東京都"] { #expect(try found(client, text) == ["新東京都"], "\(text)") }
            for text in ["xy", "h x", "end with xy"] { #expect(try found(client, text) == ["end with Xy"], "\(text)") }
            // At the very end of a text, and beyond it.
            for text in ["xyz", "xy\u{1F}", "\u{1F}\u{1F}", "qq", "backupfin"] {
                #expect(try found(client, text) == [], "\(text)")
            }
        }
    }

    @Test(
        "takes everything literally",
        arguments: [
            "100%", "%%", "a_b", "__", "\"quoted\"", "\"\"", "*.swift", "**", "one NEAR two", "NEAR(a b)",
            "this AND that",
            "OR", "NOT", "^start", "col:umn", "a-b", "(((", "{a}", "'; DROP", "\\d+", "-1", "x\"\u{301}y", "+", "a\tb",
        ])
    func literal(_ text: String) throws {
        try withAPI { api in
            // Texts that patterns would find.
            try said(api, ["100 and 1000", "axb", "one two this that start column a b quoted 1"])
            guard text.unicodeScalars.count >= 2 else {
                #expect(try search(api.operator, text).code == "q_too_short")
                return
            }
            #expect(try found(api.operator, text) == [])
            try said(api, ["before \(text) after"])
            #expect(try found(api.operator, text) == ["before \(text) after"])
        }
    }

    @Test(
        "ranks by how much of a text is about it, then the newest first, page by page", arguments: Transports.allCases)
    func ranking(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let filler = String(repeating: "lorem ipsum ", count: 40)
            try said(api, ["needle \(filler)", "same needle", "needle needle needle", "same needle", "hay"])
            let expected = ["needle needle needle", "same needle", "same needle"]
            let all = try search(api.operator, "needle")
            #expect(try found(api.operator, "needle").prefix(3) == expected[...])
            let docs = all["docs"]?.arrayValue ?? []
            #expect(docs.count == 4)
            #expect(docs[3]["content_text"]?.stringValue?.unicodeScalars.count == 280)
            let scores = docs.map { $0["score"]?.doubleValue ?? 0 }
            #expect(scores == scores.sorted(by: >) && scores.last! > 0)
            // The newer of two that are equally good stands first.
            #expect(scores[1] == scores[2])
            #expect((docs[1]["doc_id"]?.stringValue ?? "") > (docs[2]["doc_id"]?.stringValue ?? ""))
            // What is said meanwhile moves nothing.
            var (paged, cursor): ([JSONValue], [(String, String)]) = ([], [])
            repeat {
                let page = try search(api.operator, "needle", [("limit", "1")] + cursor)
                paged += page["docs"]?.arrayValue ?? []
                cursor = page["next_cursor"]?.stringValue.map { [("cursor", $0)] } ?? []
                try said(api, ["needle needle needle needle"])
            } while !cursor.isEmpty
            #expect(paged == docs)
            #expect(all["truncated"] == false)
        }
    }

    @Test("marks hits in an excerpt that is safe to show as HTML")
    func excerpts() throws {
        try withAPI { api in
            try said(api, ["<script>alert('Needle')</script> & needle"])
            let doc = try search(api.operator, "needle")["docs"]?[0]
            #expect(
                doc?["excerpt"]
                    == "&lt;script&gt;alert(&#39;<mark>Needle</mark>&#39;)&lt;/script&gt; &amp; <mark>needle</mark>")
            #expect(doc?["content_text"] == "<script>alert('Needle')</script> & needle")
            #expect((doc?["doc_type"], doc?["lang"], doc?["title"]) == ("message", "en", .null))
        }
    }

    @Test("looks through messages, runs and artifacts, and where it is told to", arguments: Transports.allCases)
    func filters(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let thread = try said(api, ["a zebra spoke"])
            let room = try api.room("Other")
            let run = try api.operator.post(
                "/v1/runs",
                [
                    "room_id": .string(room.rawValue), "title": "Zebra run", "goal": "feed",
                    "input": ["plan": Plans.shell],
                ]
            )[text: "run_id"]
            let hold = try api.hold()
            let step = try hold.step("a")
            let artifact = try hold.post(
                "/v1/steps/\(step)/artifacts",
                ["kind": "note", "title": "List", "content": ["type": "text", "text": "one zebra"]])
            #expect(artifact.status == 201)
            func ids(_ more: [(String, String)]) throws -> Set<String> {
                let docs = try search(api.operator, "zebra", more)["docs"]?.arrayValue ?? []
                return Set(docs.compactMap { $0["doc_id"]?.stringValue })
            }
            #expect(try ids([]).count == 3)
            #expect(try ids([("doc_type", "run")]) == [run])
            #expect(try ids([("doc_type", "artifact")]) == [artifact[text: "artifact_id"]])
            #expect(try ids([("doc_type", "incident")]) == [])
            #expect(try ids([("room_id", room.rawValue)]) == [run, artifact[text: "artifact_id"]])
            #expect(try ids([("thread_id", thread)]).count == 1)
            #expect(try ids([("thread_id", thread), ("doc_type", "run")]) == [])
            #expect(try found(api.operator, "run\nfee") == ["Zebra run\nfeed"])
        }
    }

    @Test(
        "refuses what it cannot look for",
        arguments: [
            ("", "q_too_short"), ("q=", "q_too_short"), ("q=a", "q_too_short"), ("q=%20a%20", "q_too_short"),
            ("q=%F0%9F%99%82", "q_too_short"), ("q=\(String(repeating: "a", count: 201))", "invalid_field"),
            ("q=ab&doc_type=event", "invalid_field"), ("q=ab&limit=x", "invalid_limit"),
            ("q=ab&cursor=zz", "invalid_cursor"), ("q=ab&cursor=\(ListCursorText.ofATimeList)", "invalid_cursor"),
        ])
    func refused(_ query: String, _ code: String) throws {
        try withAPI { api in
            let answer = try api.operator.get("/v1/search?\(query)")
            #expect((answer.status, answer.code) == (400, code))
            expectProblem(answer)
        }
    }

    @Test("finds nothing of another workspace, and ranks by nothing of it")
    func isolation() throws {
        try withAPI { api in
            try said(api, ["canary one", "a canary canary"], in: "ws_a")
            let before = try search(api.operator(in: "ws_a"), "canary")
            try said(api, ["canary canary canary"], in: "ws_b")
            #expect(try search(api.operator(in: "ws_a"), "canary").json == before.json)
            #expect(try found(api.operator(in: "ws_b"), "canary") == ["canary canary canary"])
            #expect(try found(api.operator(in: "ws_c"), "canary") == [])
            let room = before["docs"]?[0]?["room_id"]?.stringValue ?? ""
            #expect(try found(api.operator(in: "ws_b"), "canary", [("room_id", room)]) == [])
            let engine = try api.engine("engine-a")
            #expect(try search(engine, "canary").code == "operator_required")
        }
    }

    @Test("never finds a secret, only that there was one")
    func secrets() throws {
        try withAPI { api in
            try said(api, ["the key is ghp_abcdefghijklmnopqrstuvwxyz0123456789 ok"])
            for text in ["ghp_", "abcdefgh", "56789"] { #expect(try found(api.operator, text) == [], "\(text)") }
            #expect(try found(api.operator, "the key is") == ["the key is [redacted] ok"])
        }
    }

    @Test("looks at the newest thousand hits of a text that is everywhere, and says so")
    func truncated() throws {
        try withAPI { api in
            let thread = try said(api, ["common first"])
            _ = try race(8) { number in
                for count in 0..<125 {
                    let answer = try api.operator.post(
                        "/v1/threads/\(thread)/messages",
                        ["content_md": .string("common \(number).\(count)"), "lang": "en"])
                    if answer.status != 201 { throw TestFailure(answer.text) }
                }
            }
            let answer = try search(api.operator, "common")
            #expect(answer["truncated"] == true)
            #expect(answer["docs"]?.arrayValue?.count == 20)
            #expect(try found(api.operator, "common first") == ["common first"])
        }
    }
}
