import API
import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("What is read")
struct ReadingTests {
    @Test("is a list with a cursor only if its answers link to the next page")
    func paged() throws {
        try withAPI { api in
            let lists = api.application.endpoints.filter { endpoint in endpoint.query.contains { $0.name == "cursor" } }
            #expect(lists.count >= 6)
            for list in lists {
                #expect(list.answerType is any PagedAnswer.Type, "\(list.name): its answer is no PagedAnswer")
            }
        }
    }

    @Test("in pages can be followed by their links alone, with all that was asked", arguments: Transports.allCases)
    func links(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            for number in 0..<7 {
                api.clock.advance(Int64(number % 2))
                _ = try api.run(in: room, title: "\(number)")
                _ = try api.room("\(number)")
                _ = try api.operator.post(
                    "/v1/approvals", ["action": "data.read", "room_id": .string(room.rawValue)])
            }
            for (list, member) in [
                ("/v1/runs?room_id=\(room)&status=queued", "runs"), ("/v1/rooms?", "rooms"),
                ("/v1/approvals?room_id=\(room)", "approvals"), ("/v1/events?event_type=run.created", "events"),
                ("/v1/events?room_id=\(room)&before_recorded_at=2100-01-01T00:00:00Z", "events"),
            ] {
                let whole = try api.operator.get("\(list)&limit=100")[member]?.arrayValue ?? []
                #expect(whole.count >= 7)
                #expect(try api.operator.get("\(list)&limit=100").response.fields[.link] == nil)
                var (seen, next): ([[JSONValue]], String?) = ([], "\(list)&limit=3")
                while let target = next, seen.count < 20 {
                    let page = try api.operator.get(target)
                    #expect(page.status == 200, "\(target)")
                    seen.append(page[member]?.arrayValue ?? [])
                    let link = page.response.fields[.link]
                    #expect((link == nil) == (page["next_cursor"]?.isNull == true))
                    next = link.map { String($0.dropFirst().prefix { $0 != ">" }) }
                    if let link { #expect(link.hasSuffix(">; rel=\"next\"") && link.contains("limit=3")) }
                }
                // Backwards the pages come from the end; each is oldest first.
                let pages = list.contains("before") ? seen.reversed() : seen
                #expect(Array(pages.joined()) == whole, "\(list)")
            }
        }
    }

    @Test("has a validator, and is not sent again to who has it", arguments: Transports.allCases)
    func validators(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let run = try api.run(in: room)
            let event = try api.events(run)[0].eventID
            for target in [
                "/v1/rooms", "/v1/runs/\(run)", "/v1/events?run_id=\(run)", "/v1/events/\(event)", "/v1/engines",
                "/v1/audit/redactions", "/v1/runs?limit=1",
            ] {
                let first = try api.operator.get(target)
                let tag = try #require(first.response.fields[.etag], "\(target)")
                #expect(tag.first == "\"" && tag.last == "\"" && tag.utf8.count == 34)
                #expect(first.response.fields[.cacheControl] == "private, no-cache")
                for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                    let again = try api.operator.get(target, fields: [.ifNoneMatch: known])
                    #expect((again.status, again.response.body) == (304, []), "\(target) \(known)")
                    #expect(again.response.fields[.etag] == tag)
                    #expect(again.response.fields[.cacheControl] == "private, no-cache")
                    #expect(again.response.fields[.xRequestID] != nil)
                }
                let other = try api.operator.get(target, fields: [.ifNoneMatch: "\"other\", W/\"x\""])
                #expect((other.status, other.response.body) == (200, first.response.body))
                let head = try api.operator.exchange(.head, target, fields: [.ifNoneMatch: tag])
                #expect((head.status, head.response.fields[.etag]) == (304, tag))
                // Another's answer is another, whoever brings the tag.
                let others = try api.operator(in: "ws_other").get(target, fields: [.ifNoneMatch: tag])
                #expect(others.status != 304 || first.text.contains("[]"), "\(target)")
            }
            let before = try api.operator.get("/v1/rooms").response.fields[.etag] ?? ""
            _ = try api.room("another")
            #expect(try api.operator.get("/v1/rooms", fields: [.ifNoneMatch: before]).status == 200)
            // One format's tag is not the other's.
            let cloud = try api.operator.get("/v1/events/\(event)", fields: [.accept: "application/cloudevents+json"])
            let own = try api.operator.get("/v1/events/\(event)")
            #expect(cloud.response.fields[.etag] != own.response.fields[.etag])
            #expect(own.response.fields[.vary] == "accept" && cloud.response.fields[.vary] == "accept")
        }
    }

    @Test("leaves what is said once out of every cache: commands, refusals, credentials")
    func commands() throws {
        try withAPI { api in
            let answers = [
                try api.operator.post("/v1/rooms", ["title": "a"]), try api.operator.get("/v1/runs/nothing"),
                try api.operator.post("/v1/engines/register", ["actor_id": "e"]),
                try api.operator.get("/v1/runs/nothing", fields: [.ifNoneMatch: "*"]),
            ]
            for answer in answers {
                #expect(answer.response.fields[.cacheControl] == "no-store")
                #expect(answer.response.fields[.etag] == nil)
            }
            #expect(answers[3].status == 404)
        }
    }

    @Test("first of all says where the service is described")
    func landing() throws {
        try withAPI { (api) throws in
            #expect(
                try api.stranger.get("/").response.fields[.link] == "</openapi.json>; rel=\"service-desc\"")
        }
    }
}
