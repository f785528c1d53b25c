import APIClient
import HTTP
import JSON
import Platform
import Shared
import TestSupport
import Testing

/// What a walk from page to page promises while others write (`docs/reference/ENDPOINTS.md`).
@Suite("A list read page by page while others write")
struct PaginationTests {
    private static let seeded = 10_000
    private static let added = 1_000

    /// Rooms, then runs; ten share each millisecond, in no order of their names.
    private func seed(_ api: TestAPI) throws -> RoomID {
        let now = api.clock.wallMilliseconds()
        @Sendable func name(_ prefix: String, _ number: Int) -> String {
            "\(prefix)seed\(number * 7919 % Self.seeded + Self.seeded)"
        }
        let room = RoomID(name("room_", 0))
        try api.write(2 * Self.seeded) { number in
            let isRoom = number < Self.seeded
            let number = number % Self.seeded
            let event: DomainEvent =
                isRoom
                ? .room(.created(RoomCreated(title: "\(number)", topic: nil, roomMode: "default", defaultLang: "en")))
                : .run(.created(RunCreated(runID: RunID(name("run_", number)), title: "\(number)")))
            let scope = EventScope(
                workspaceID: .development, roomID: isRoom ? RoomID(name("room_", number)) : room,
                runID: isRoom ? nil : RunID(name("run_", number)), correlationID: "c")
            let place = isRoom ? number : number + Self.seeded
            return (
                EventDraft(event, in: scope, by: .operatorUser),
                Timestamp(milliseconds: now + Int64((place - 2 * Self.seeded) / 10))
            )
        }
        return room
    }

    /// Reads the list to its end. After each page it waits until a share of the writing has been done.
    private func walk(
        _ client: APIClient, _ list: String, _ member: String, _ key: String, _ written: Monitor<Int>, share: Int
    ) throws -> [String] {
        var (seen, cursor, pages) = ([String](), "", 0)
        repeat {
            let page = try client.get("\(list)\(cursor.isEmpty ? "" : "&cursor=\(cursor)")")
            #expect(page.status == 200)
            seen += (page[member]?.arrayValue ?? []).compactMap { $0[key]?.stringValue }
            cursor = page["next_cursor"]?.stringValue ?? ""
            pages += 1
            let due = min(Self.added, pages * share)
            _ = written.wait(milliseconds: 60_000) { $0 >= due ? true : nil }
        } while !cursor.isEmpty && pages < 1_000
        return seen
    }

    @Test("shows everything that stays as it is exactly once, also of one millisecond")
    func exact() throws {
        try withAPI(.socket) { api in
            let room = try seed(api)
            let client = api.operator
            /// Walks the list while rooms and runs are made and, every tenth time, one of the old runs changes.
            func walkWhileWriting(
                _ list: String, _ member: String, _ key: String, share: Int
            ) throws -> (seen: [String], changed: Set<String>, made: Set<String>) {
                let written = Monitor(0)
                let old = try client.get("/v1/runs?status=queued&limit=200")["runs"]?.arrayValue ?? []
                let writer = Beside { () -> (Set<String>, Set<String>) in
                    var (changed, made) = (Set<String>(), Set<String>())
                    for number in 0..<Self.added {
                        if number % 10 == 9, let run = old[number / 10]["run_id"]?.stringValue {
                            let answer = try client.post("/v1/runs/\(run)/cancel")
                            guard answer.status == 200 else { throw TestFailure(answer.text) }
                            changed.insert(run)
                        } else if number % 2 == 0 {
                            made.insert(try client.post("/v1/rooms", ["title": "new"])[text: "room_id"])
                        } else {
                            made.insert(
                                try client.post("/v1/runs", ["room_id": .string(room.rawValue)])[text: "run_id"])
                        }
                        written.update { $0 += 1 }
                    }
                    return (changed, made)
                }
                let seen = try walk(client, list, member, key, written, share: share)
                let (changed, made) = try writer.value(milliseconds: 120_000)
                return (seen, changed, made)
            }

            let rooms = try walkWhileWriting("/v1/rooms?limit=100", "rooms", "room_id", share: 10)
            let oldRooms = rooms.seen.filter { !rooms.made.contains($0) }
            #expect(Set(oldRooms).count == Self.seeded && oldRooms.count == Self.seeded)
            #expect(Set(rooms.seen).count == rooms.seen.count)

            let before = try api.lastGlobalSeq()
            let events = try walkWhileWriting(
                "/v1/events?include_system=1&limit=200", "events", "event_id", share: 20)
            #expect(Set(events.seen).count == events.seen.count)
            // The events of others come behind: a walk that ends has seen all that was there when it began, and more.
            #expect(events.seen.count > Int(before))

            let runs = try walkWhileWriting("/v1/runs?limit=200", "runs", "run_id", share: 20)
            let unchanged = runs.seen.filter { $0.hasPrefix("run_seed") && !runs.changed.contains($0) }
            #expect(Set(unchanged).count == unchanged.count)
            #expect(unchanged.count == Self.seeded - runs.changed.count { $0.hasPrefix("run_seed") })
        }
    }
}
