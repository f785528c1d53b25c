import DatabaseCore
import DatabaseSQLite
import Domain
import EventStore
import Platform
import Shared
import Testing

@testable import Projectors

/// The index behind search: kept in step, compared, and emptied of what is erased.
struct SearchTests {
    private func terms(_ history: History) throws -> [String] {
        try history.database.read { transaction in
            var terms: [String] = []
            try SearchIndex.projector.eachRow(transaction) { term, _ in terms.append(term) }
            return terms
        }
    }

    private func found(_ text: String, _ history: History) throws -> [String] {
        try history.database.read {
            try SearchTable.search(SearchQuery(text, in: "ws_dev"), after: nil, limit: 1_000, $0).docs.map(\.docID)
        }
    }

    @Test("Search finds what reading every text finds, for texts of two characters and more")
    func complete() throws {
        let history = try History(seed: 11)
        try history.live(until: 1_500)
        let documents = try history.database.read {
            try SearchTable.table.all(where: " WHERE workspace_id = 'ws_dev'", in: $0)
        }
        #expect(documents.count > 50 && documents.count < SearchTable.rankedMax)
        for text in [
            "st", "İS", "stanbul", "ΣΊ", "σίσυφος", "東京", "京 ", "\"q", "d\"\n", "Zoë 🙂", "🙂 ", "[redacted]", "in\n",
        ] {
            let needle = SearchText.folded(text)
            let expected = documents.filter { document in
                !SearchText.places(of: needle, in: SearchText.folded(document.contentText)).isEmpty
            }
            #expect(Set(try found(text, history)) == Set(expected.map(\.docID)), "\(text)")
            #expect(!expected.isEmpty, "\(text)")
        }
    }

    @Test("An index that misses a document is named, and a clear and a fold mend it")
    func drift() throws {
        let history = try History(seed: 12)
        try history.live(until: 300)
        let document = try #require(
            try history.database.read { try SearchTable.table.all(where: " LIMIT 1", in: $0) }.first)
        try history.database.writeAndWait { try SearchIndex.remove(document, $0) }
        let check = try history.rebuild().checks.first { $0.table == "proj_search_index" }
        #expect(check?.firstDifference != nil)
        try history.database.writeAndWait { transaction in
            try SearchIndex.projector.clear(transaction)
            try EventQueries.each(in: transaction) { stored in
                if let recorded = try stored.typed() { try SearchIndex.projector.project(recorded, transaction) }
            }
        }
        #expect(try history.rebuild().checks.allSatisfy { $0.firstDifference == nil })
    }

    @Test("A document that is taken out leaves no term behind, in the index or in the file")
    func removal() throws {
        let history = try History(seed: 13)
        try history.live(until: 200)
        let now = Timestamp("2026-03-05T00:00:00.000Z")!
        let before = try terms(history)
        let globalSeq = try history.database.writeAndWait { [log = history.log] transaction in
            let facts = CommandFacts(actor: .operatorUser, now: now)
            let run = try RunDecider.create(
                "run_x", CreateRun(roomID: "room_x", title: "Ψ☠☢☣"), in: "ws_dev", roomID: "room_x", correlationID: "c",
                planSecret: nil, facts)
            let recorded = try log.append(run.events, at: now, in: transaction)
            try ProjectorCatalogue.project(recorded, in: transaction)
            return recorded[0].envelope.globalSeq
        }
        #expect(try found("☢☣", history) == ["run_x"])
        #expect(try terms(history).filter { !before.contains($0) } == ["ψ☠☢", "☠☢☣", "☢☣\u{1F}"])
        try history.database.writeAndWait { try SearchTable.remove(broughtBy: globalSeq, $0) }
        #expect(try found("☢☣", history) == [])
        #expect(try terms(history) == before)
    }
}
