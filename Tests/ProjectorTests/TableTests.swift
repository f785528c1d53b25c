import DatabaseCore
import EventStore
import JSON
import Platform
import Shared
import Testing

@testable import Projectors

/// Reading the read models: what the lists promise.
struct TableTests {
    @Test("A list goes on where its cursor says, without a gap or a repetition, also where times are equal")
    func cursors() throws {
        let history = try History(seed: 9)
        try history.live(until: 1_200)
        try history.database.read { transaction in
            for workspace: WorkspaceID in ["ws_dev", "ws_other"] {
                let all = try RunTable.list(in: workspace, RunTable.Filter(), after: nil, limit: 10_000, transaction)
                #expect(all.count > 20)
                var (paged, cursor): ([Run], ListCursor?) = ([], nil)
                while true {
                    let page = try RunTable.list(in: workspace, RunTable.Filter(), after: cursor, limit: 7, transaction)
                    paged += page
                    guard let last = page.last else { break }
                    cursor = ListCursor(text: ListCursor(time: last.updatedAt, id: last.runID.rawValue).text)
                    #expect(cursor != nil)
                }
                #expect(paged == all)
                var (calls, next): ([ToolCall], ListCursor?) = ([], nil)
                while true {
                    let page = try ToolCallTable.list(
                        in: workspace, run: nil, step: nil, after: next, limit: 7, transaction)
                    calls += page
                    guard let last = page.last else { break }
                    next = ListCursor(time: last.startedAt, id: last.toolCallID.rawValue)
                }
                #expect(
                    calls
                        == (try ToolCallTable.list(
                            in: workspace, run: nil, step: nil, after: nil, limit: 10_000, transaction)))
                #expect(!calls.isEmpty)
            }
        }
    }

    @Test("What is no cursor of ours is nil; one with an absurd time is harmless")
    func foreignCursors() throws {
        for text in ["", "zz", "0", "deadbeef", Hex.text("x~id".utf8), Hex.text("1".utf8)] {
            #expect(ListCursor(text: text) == nil)
        }
        let history = try History(seed: 1)
        try history.live(until: 50)
        for time in [Int64.min, -1, Int64.max] {
            let cursor = try #require(ListCursor(text: Hex.text("\(time)~id".utf8)))
            let runs = try history.database.read {
                try RunTable.list(in: "ws_dev", RunTable.Filter(), after: cursor, limit: 5, $0)
            }
            #expect(runs.count <= 5)
        }
    }

    @Test("Nothing of another workspace is found or listed")
    func workspaces() throws {
        let history = try History(seed: 4)
        try history.live(until: 1_200)
        try history.database.read { transaction in
            let mine: WorkspaceID = "ws_dev"
            let other = try RunTable.list(in: "ws_other", RunTable.Filter(), after: nil, limit: 10_000, transaction)
            #expect(!other.isEmpty)
            for run in other {
                #expect(try RunTable.find(run.runID, in: mine, transaction) == nil)
                #expect(try RunTable.find(run.runID, in: "ws_other", transaction) == run)
            }
            #expect(
                try RunTable.list(in: mine, RunTable.Filter(), after: nil, limit: 10_000, transaction).allSatisfy {
                    $0.workspaceID == mine
                })
            #expect(
                try RoomTable.list(in: mine, after: nil, limit: 10_000, transaction).allSatisfy {
                    $0.workspaceID == mine
                })
            #expect(
                try ApprovalTable.list(in: mine, status: nil, room: nil, after: nil, limit: 10_000, transaction)
                    .allSatisfy { $0.workspaceID == mine })
            #expect(
                try ArtifactTable.list(in: mine, room: nil, run: nil, step: nil, after: nil, limit: 10_000, transaction)
                    .allSatisfy { $0.workspaceID == mine })
            #expect(
                try ToolCallTable.list(in: mine, run: nil, step: nil, after: nil, limit: 10_000, transaction).allSatisfy
                { $0.workspaceID == mine })
        }
    }

    @Test("The oldest queued run is claimed first, with a plan and in the rooms that were named")
    func oldestQueued() throws {
        let history = try History(seed: 6)
        try history.live(until: 1_000)
        try history.database.writeAndWait { transaction in
            var filter = RunTable.Filter()
            filter.status = .queued
            let queued = try RunTable.list(in: "ws_dev", filter, after: nil, limit: 10_000, transaction)
                .sorted { ($0.createdAt, $0.runID) < ($1.createdAt, $1.runID) }
            try #require(queued.count > 1)
            func found(_ rooms: [RoomID]?, _ withPlan: Bool) throws -> RunID? {
                try RunTable.oldestQueued(in: "ws_dev", rooms: rooms, withPlan: withPlan, transaction)?.runID
            }
            #expect(try found(nil, false) == queued.first?.runID)
            #expect(try found(nil, true) == queued.first { $0.hasPlan }?.runID)
            let room = try #require(queued.last?.roomID)
            #expect(try found([room], false) == queued.first { $0.roomID == room }?.runID)
            #expect(try found([], false) == nil)
        }
    }

    @Test("A stored row that is damaged is an error that names table and column")
    func damaged() throws {
        let history = try History(seed: 1)
        try history.live(until: 300)
        _ = try history.database.writeAndWait { try $0.execute("UPDATE proj_runs SET status = 'dancing'") }
        let error = #expect(throws: DatabaseError.self) {
            try history.database.read { try RunTable.list(in: "ws_dev", RunTable.Filter(), after: nil, limit: 5, $0) }
        }
        #expect(error?.message.hasPrefix("proj_runs.status: ") == true)
    }
}
