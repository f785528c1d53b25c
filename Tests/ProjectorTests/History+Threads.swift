import DatabaseCore
import Domain
import EventStore
import Shared

@testable import Projectors

/// Rooms that change, and what is said in them.
extension Moment {
    func converse() throws {
        guard let room = pick(try RoomTable.table.all(where: " ORDER BY room_id DESC LIMIT 4", in: transaction)) else {
            return
        }
        switch roll(5) {
        case 0:
            let request = UpdateRoom(
                title: pick([nil, "Room \(word)"])!, topic: pick([nil, "", word])!, roomMode: pick([nil, "default"])!,
                toolPolicyRef: pick([nil, "", "strict"])!)
            if let draft = try RoomDecider.update(room, request, correlationID: "c", facts) { try record(draft) }
        case 1:
            let request = CreateThread(title: "On \(word)", status: pick([nil, "closed"])!)
            try record(
                ThreadDecider.create(id(), request, in: room, for: try place(in: room), correlationID: "c", facts))
        default:
            let threads = try ThreadTable.list(of: room.roomID, after: nil, limit: 3, transaction)
            guard let thread = pick(threads) else { return }
            let earlier = try MessageTable.list(
                of: thread.threadID, before: nil, beforeSeq: nil, limit: 3, transaction)
            let parent = pick([nil, pick(earlier)])!
            let request = PostMessage(
                contentMd: "\(word) İstanbul ΣΊΣΥΦΟΣ 東京 \(word)", lang: "en", parentMessageID: parent?.messageID,
                labels: pick([nil, [], ["todo"]])!)
            try record(
                MessageDecider.post(
                    id(), request, in: thread, parent: parent, for: try place(in: room), correlationID: "c", facts))
        }
    }

    /// One of the room's runs, now and then.
    private func place(in room: Room) throws -> RunPlace? {
        let runs = try RunTable.table.all(
            where: " WHERE room_id = \(room.roomID) ORDER BY updated_at DESC LIMIT 3", in: transaction)
        guard let run = pick(runs), roll(2) == 0 else { return nil }
        return RunPlace(run: run, step: pick(try StepTable.list(of: run.runID, transaction)))
    }
}
