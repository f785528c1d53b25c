import APIClient
import Crypto
import HTTP
import JSON
import Platform
import Shared
import TestSupport
import Testing

func digest(_ bytes: [UInt8]) -> String { SHA256.hex(bytes) }

@Suite("An artifact")
struct ArtifactTests {
    private func held(_ api: TestAPI) throws -> (hold: Hold, step: StepID) {
        _ = try api.run(in: api.room())
        let hold = try api.hold()
        return (hold, try hold.step("a"))
    }

    private func put(_ hold: Hold, _ step: StepID, _ bytes: [UInt8], as name: String? = nil, token: String? = nil)
        throws -> Answered
    {
        try hold.client.exchange(
            .put, "/v1/steps/\(step)/blobs/\(name ?? digest(bytes))", fields: [.xClaimToken: token ?? hold.token],
            body: bytes)
    }

    /// Files below the blob folder of the data directory.
    private func kept(_ api: TestAPI) throws -> [String] {
        func files(_ path: String) throws -> [String] {
            try Files.list(path).flatMap { name -> [String] in
                let child = "\(path)/\(name)"
                return Files.status(child)?.kind == .folder ? try files(child) : [child]
            }
        }
        return try files("\(api.folder.path)/blobs")
    }

    @Test("keeps bytes by their digest, and gives them back as a download", arguments: Transports.allCases)
    func roundTrip(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step) = try held(api)
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            let stored = try put(hold, step, bytes)
            #expect(stored.status == 201, "\(stored.text)")
            #expect(stored.json == ["sha256": .string(digest(bytes)), "size_bytes": 300_000])
            // The same again is as good.
            #expect(try put(hold, step, bytes).status == 201)
            #expect(try kept(api).count == 1)
            let made = try hold.post(
                "/v1/steps/\(step)/artifacts",
                [
                    "kind": "report", "title": "r", "mime_type": "text/html",
                    "sha256": .string("sha256:\(digest(bytes))"),
                ])
            #expect(made.status == 201, "\(made.text)")
            let id = made[text: "artifact_id"]
            let row = try api.operator.get("/v1/artifacts/\(id)")["artifact"]
            #expect((row?["size_bytes"], row?["content_type"]) == (300_000, "none"))
            let content = try api.operator.get("/v1/artifacts/\(id)/content")
            #expect((content.status, content.response.body) == (200, bytes))
            let fields = content.response.fields
            #expect(fields[.etag] == "\"\(digest(bytes))\"")
            #expect(fields[.contentDisposition]?.hasPrefix("attachment") == true)
            #expect(fields[.contentSecurityPolicy]?.contains("sandbox") == true)
            #expect(fields[.acceptRanges] == "bytes")
            let same = try api.operator.get(
                "/v1/artifacts/\(id)/content", fields: [.ifNoneMatch: "\"\(digest(bytes))\""])
            #expect((same.status, same.response.body) == (304, []))
            #expect(same.response.fields[.etag] == fields[.etag])
            for match in ["*", "W/\"\(digest(bytes))\"", "\"x\", \"\(digest(bytes))\""] {
                #expect(
                    try api.operator.get("/v1/artifacts/\(id)/content", fields: [.ifNoneMatch: match]).status == 304,
                    "\(match)")
            }
            let head = try api.operator.exchange(.head, "/v1/artifacts/\(id)/content")
            #expect((head.status, head.response.body) == (200, []))
        }
    }

    @Test("is read in parts", arguments: Transports.allCases)
    func ranges(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step) = try held(api)
            let bytes = Array("0123456789".utf8)
            _ = try put(hold, step, bytes)
            let id = try hold.post("/v1/steps/\(step)/artifacts", ["kind": "r", "sha256": .string(digest(bytes))])[
                text: "artifact_id"]
            func read(_ range: String) throws -> (Int, String, String?) {
                let answer = try api.operator.get("/v1/artifacts/\(id)/content", fields: [.range: range])
                return (answer.status, answer.text, answer.response.fields[.contentRange])
            }
            for (range, text, content) in [
                ("bytes=0-0", "0", "bytes 0-0/10"), ("bytes=2-4", "234", "bytes 2-4/10"),
                ("bytes=7-", "789", "bytes 7-9/10"),
                ("bytes=-3", "789", "bytes 7-9/10"), ("bytes=8-100", "89", "bytes 8-9/10"),
                ("bytes=-100", "0123456789", "bytes 0-9/10"),
                ("bytes=0-9223372036854775807", "0123456789", "bytes 0-9/10"),
            ] {
                let found = try read(range)
                #expect(found.0 == 206 && found.1 == text && found.2 == content, "\(range): \(found)")
            }
            for range in [
                "bytes=4-2", "lines=1-2", "bytes=0-1,3-4", "bytes=a-b", "bytes=", "bytes=-", "bytes=--1", "bytes=+1-2",
                "bytes=-1-2",
            ] {
                let found = try read(range)
                #expect(found.0 == 200 && found.1 == "0123456789", "\(range): \(found)")
            }
            for range in ["bytes=10-", "bytes=99-100", "bytes=-0", "bytes=9223372036854775807-"] {
                let answer = try api.operator.get("/v1/artifacts/\(id)/content", fields: [.range: range])
                #expect((answer.status, answer.code) == (416, "range_not_satisfiable"), "\(range)")
            }
        }
    }

    @Test("whose bytes are not what their name says is refused, and nothing is kept", arguments: Transports.allCases)
    func wrongDigest(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step) = try held(api)
            let answer = try put(hold, step, [1, 2, 3], as: String(repeating: "a", count: 64))
            #expect((answer.status, answer.code) == (400, "digest_mismatch"))
            #expect(answer["details"]?["found"] == .string(digest([1, 2, 3])))
            expectProblem(answer)
            #expect(try kept(api) == [])
            for name in ["abc", String(repeating: "A", count: 64), String(repeating: "g", count: 64)] {
                let bad = try put(hold, step, [1], as: name)
                #expect((bad.status, bad.code) == (400, "invalid_field"))
                expectProblem(bad)
            }
            let missing = try hold.post("/v1/steps/\(step)/artifacts", ["kind": "r", "sha256": .string(digest([9]))])
            #expect((missing.status, missing.code) == (404, "blob_not_found"))
        }
    }

    @Test("may be empty")
    func empty() throws {
        try withAPI(.socket) { api in
            let (hold, step) = try held(api)
            #expect(try put(hold, step, []).status == 201)
            let id = try hold.post("/v1/steps/\(step)/artifacts", ["kind": "r", "sha256": .string(digest([]))])[
                text: "artifact_id"]
            let content = try api.operator.get("/v1/artifacts/\(id)/content")
            #expect((content.status, content.response.body) == (200, []))
        }
    }

    @Test("larger than allowed is refused, and nothing is kept", arguments: Transports.allCases)
    func tooLarge(_ transports: Transports) throws {
        try withAPI(transports, settings: ["ARTIFACT_BYTES_MAX": "1000"]) { api in
            let (hold, step) = try held(api)
            let answer = try put(hold, step, [UInt8](repeating: 1, count: 1001))
            #expect((answer.status, answer.code) == (413, "payload_too_large"))
            expectProblem(answer)
            try eventually("the file to be gone") { try kept(api).isEmpty }
            #expect(try put(hold, step, [UInt8](repeating: 1, count: 1000)).status == 201)
        }
    }

    @Test("upload that breaks off leaves nothing behind")
    func brokenUpload() throws {
        try withAPI(.socket) { api in
            let (hold, step) = try held(api)
            guard let address = api.address, case .engine(let id, let secret) = hold.client.credential else {
                throw TestFailure("?")
            }
            do {
                let peer = try RawPeer(address)
                peer.send(
                    "PUT /v1/steps/\(step)/blobs/\(digest([1])) HTTP/1.1\r\nHost: localhost:\(address.port)\r\nx-engine-id: \(id)\r\n"
                        + "x-engine-token: \(secret)\r\nx-claim-token: \(hold.token)\r\nContent-Length: 100000\r\n\r\nabc"
                )
                try eventually("the upload to begin") { try !kept(api).isEmpty }
            }
            try eventually("the file to be gone") { try kept(api).isEmpty }
        }
    }

    @Test("upload without a live lease is not even read", arguments: Transports.allCases)
    func fenced(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step) = try held(api)
            let wrong = try put(hold, step, [1, 2], token: "wrong")
            #expect((wrong.status, wrong.code) == (409, "lease_token_mismatch"))
            expectProblem(wrong)
            let nobody = try api.stranger.exchange(.put, "/v1/steps/\(step)/blobs/\(digest([1]))", body: [1])
            #expect((nobody.status, nobody.code) == (401, "missing_bearer_token"))
            #expect(try kept(api) == [])
        }
    }

    @Test("may hold a little text or JSON itself")
    func inline() throws {
        try withAPI { api in
            let (hold, step) = try held(api)
            for (content, body, type) in [
                (["type": "text", "text": "häh\n"], "häh\n", "text"),
                (["type": "json", "json": ["a": [1, 2]]], "{\"a\":[1,2]}", "json"),
            ] as [(JSONValue, String, String)] {
                let id = try hold.post("/v1/steps/\(step)/artifacts", ["kind": "note", "content": content])[
                    text: "artifact_id"]
                #expect(try api.operator.get("/v1/artifacts/\(id)/content").text == body)
                #expect(try api.operator.get("/v1/artifacts/\(id)")["artifact"]?["content_type"] == .string(type))
            }
            let link = try hold.post(
                "/v1/steps/\(step)/artifacts",
                ["kind": "link", "content": ["type": "uri", "uri": "https://a.example/"]])
            #expect(try api.operator.get("/v1/artifacts/\(link[text: "artifact_id"])/content").code == "blob_not_found")
            #expect(try hold.post("/v1/steps/\(step)/artifacts").code == "missing_kind")
            #expect(
                try hold.post("/v1/steps/\(step)/artifacts", ["kind": "a", "schema_version": "9"]).code
                    == "invalid_schema_version")
            #expect(try hold.post("/v1/steps/\(step)/artifacts", ["kind": "a", "content": []]).code == "invalid_field")
            // They may follow the run's end, when only the operator may write.
            _ = try hold.onRun("complete")
            let late = try api.operator.post("/v1/steps/\(step)/artifacts", ["kind": "late"])
            #expect(late.status == 201, "\(late.text)")
        }
    }

    @Test(
        "of another type than it should be shown as cannot break the answer's head",
        arguments: ["text/html\r\nx: y", "ä/b", "nothing"])
    func mediaTypes(_ type: String) throws {
        try withAPI { api in
            let (hold, step) = try held(api)
            let made = try hold.post(
                "/v1/steps/\(step)/artifacts",
                ["kind": "a", "mime_type": .string(type), "content": ["type": "text", "text": "x"]])
            #expect(made.status == 201)
            let content = try api.operator.get("/v1/artifacts/\(made[text: "artifact_id"])/content")
            #expect(content.response.fields[.contentType] == "application/octet-stream")
        }
    }
}
