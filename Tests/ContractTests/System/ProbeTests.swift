import APIClient
import DatabaseCore
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@testable import API

@Suite("A probe")
struct ProbeTests {
    @Test("is answered ok to anybody, as text or as JSON", arguments: Transports.allCases)
    func healthy(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let before = try api.lastGlobalSeq()
            for target in ["/livez", "/readyz"] {
                let plain = try api.stranger.get(target)
                #expect((plain.status, plain.text) == (200, "ok\n"), "\(target)")
                #expect(plain.response.fields[.contentType] == "text/plain; charset=utf-8")
                #expect(plain.response.fields[.cacheControl] == "no-store")
                #expect(try api.stranger.exchange(.head, target).status == 200)
                for answer in [
                    try api.stranger.get("\(target)?verbose"),
                    try api.stranger.get(target, fields: [.accept: "application/json"]),
                ] {
                    #expect((answer.status, answer["ok"]) == (200, true))
                    #expect(answer.response.fields[.contentType] == "application/json")
                }
            }
            let names = try api.stranger.get("/readyz?verbose=1")["checks"]?.arrayValue?.compactMap {
                $0["name"]?.stringValue
            }
            #expect(names == ["database_readable", "database_writable", "migrations", "not_draining"])
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("says that the api is being stopped, but that it lives")
    func draining() throws {
        let api = try TestAPI(.router)
        defer { api.stop() }
        api.application.beginDraining()
        let plain = try api.stranger.get("/readyz")
        #expect((plain.status, plain.text) == (503, "not_draining\n"))
        let answer = try api.stranger.get("/readyz?verbose")
        #expect((answer.status, answer["ok"]) == (503, false))
        #expect(answer["checks"]?.arrayValue?.filter { $0["ok"] == false }.count == 1)
        #expect(try api.stranger.get("/livez").status == 200)
        #expect(try PrometheusText(api.stranger.get("/metrics").text).value("aos_draining") == 1)
    }

    @Test("says that the writer is stuck, full or failing, and when it is well again")
    func writer() {
        let pulse = WriterPulse(nowMs: 1_000, on: .sqlite)
        #expect(pulse.fault(nowMs: 6_000) == nil)
        #expect(pulse.fault(nowMs: 6_001)?.contains("5001 ms") == true)
        pulse.written(WriteBatch(works: 1, nanoseconds: 1, changes: 0, failure: .full))
        #expect(pulse.fault(nowMs: 1_000) == "the disk is full")
        pulse.written(WriteBatch(works: 1, nanoseconds: 1, changes: 0))
        #expect(pulse.fault(nowMs: 1_000) == "the disk is full")
        pulse.written(WriteBatch(works: 1, nanoseconds: 1, changes: 2))
        #expect(pulse.fault(nowMs: 1_000) == nil)
        // It is asked once a second, and not again before it has answered.
        #expect(!pulse.begin(nowMs: 1_999) && pulse.begin(nowMs: 7_000) && !pulse.begin(nowMs: 9_000))
        #expect(pulse.fault(nowMs: 9_000) != nil)
        pulse.answered(nil, nowMs: 9_000)
        #expect(pulse.fault(nowMs: 9_000) == nil)
        #expect(pulse.begin(nowMs: 9_000))
        pulse.answered(DatabaseError(.overloaded, "too much"), nowMs: 9_001)
        #expect(pulse.fault(nowMs: 9_001)?.contains("too much") == true)
    }

    @Test("for the version names the release", arguments: Transports.allCases)
    func version(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let answer = try api.stranger.get("/version")
            #expect(
                (answer.status, answer["name"], answer["version"]) == (200, "agentos", .string(ReleaseVersion.text)))
        }
    }
}
