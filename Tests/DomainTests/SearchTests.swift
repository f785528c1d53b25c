import JSON
import Shared
import Testing

@testable import Domain

@Suite("Search")
struct SearchTests {
    private func hits(_ query: String, _ text: String) -> Int {
        SearchText.places(of: SearchText.folded(query), in: SearchText.folded(text)).count
    }

    @Test(
        "finds a part of a word, whatever its case",
        arguments: [
            ("shift", "The Night SHIFT", 1), ("IFT", "shifty gift", 2), ("aa", "aaaaa", 2), ("ÄÖ", "xäöx", 1),
            ("σίσυφος", "ΣΊΣΥΦΟΣ", 1), ("ΣΟΦΌΣ", "σοφός", 1), ("straße", "STRAßE", 1), ("strasse", "STRAßE", 0),
            ("K", "\u{212A}elvin", 1), ("İ", "i", 0), ("東京", "新東京都", 1), ("🙂", "a🙂b", 1), ("ab", "a", 0),
            ("a b", "ab", 0),
            ("%", "100%", 1), ("_", "abc", 0),
        ])
    func folding(_ query: String, _ text: String, _ count: Int) { #expect(hits(query, text) == count) }

    @Test("ranks more hits higher and shorter texts higher, and neither counts without bound")
    func ranking() {
        let score = SearchText.score
        #expect(score(2, 300) > score(1, 300))
        #expect(score(1, 100) > score(1, 1_000))
        #expect(score(1_000_000, 300) < 2_200_000 && score(1_000_000, 300) > score(1_000, 300))
        #expect(score(1, 65_536) > 0)
    }

    @Test(
        "shows hits as HTML whose only element is mark",
        arguments: [
            ("hit", "a hit, a HIT", "a <mark>hit</mark>, a <mark>HIT</mark>"),
            ("<b", "x <b>\"&'", "x <mark>&lt;b</mark>&gt;&quot;&amp;&#39;"),
            ("</mark>", "</mark><script>", "<mark>&lt;/mark&gt;</mark>&lt;script&gt;"),
            ("mark", "<mark>", "&lt;<mark>mark</mark>&gt;"),
        ])
    func excerpts(_ query: String, _ text: String, _ html: String) {
        let needle = SearchText.folded(query)
        let places = SearchText.places(of: needle, in: SearchText.folded(text))
        #expect(SearchText.excerpt(of: text, marking: places, length: needle.count) == html)
    }

    @Test("cuts an excerpt around the first hit, and says so")
    func cut() {
        let text = String(repeating: "é", count: 500) + "needle" + String(repeating: "z", count: 500)
        let excerpt = SearchText.excerpt(of: text, marking: [500], length: 6)
        #expect(excerpt.hasPrefix("…é") && excerpt.hasSuffix("z…") && excerpt.contains("<mark>needle</mark>"))
        #expect(excerpt.unicodeScalars.count == SearchText.excerptCharactersMax + 13 + 2)
        let last = SearchText.excerpt(of: text, marking: [1_000], length: 6)
        #expect(last.hasSuffix("<mark>zzzzzz</mark>"))
    }

    @Test("reads 64 KiB of a text, and cuts no character in two")
    func prefixes() {
        #expect(SearchText.prefix("aéb", bytesMax: 2) == "a")
        #expect(SearchText.prefix("aéb", bytesMax: 3) == "aé")
        #expect(SearchText.prefix("🙂🙂", bytesMax: 7) == "🙂")
        #expect(SearchText.prefix("abc", bytesMax: 3) == "abc")
    }

    @Test("has a document of every message, and of runs, artifacts and incidents that say something")
    func documents() throws {
        func document(_ event: DomainEvent) -> SearchDocument? {
            var world = World()
            let scope = EventScope(workspaceID: "ws_a", roomID: "room_1", threadID: "th_1", correlationID: "c")
            world.record([EventDraft(event, in: scope, by: .operatorUser)])
            return SearchDocument(world.events[0])
        }
        let said = MessageCreated(
            messageID: "msg_1", senderType: "user", senderID: "u", contentMd: "hello", lang: "de")
        let message = try #require(document(.thread(.messageCreated(said))))
        #expect((message.docID, message.docType, message.lang, message.title) == ("msg_1", .message, "de", nil))
        #expect((message.workspaceID, message.roomID, message.threadID) == ("ws_a", "room_1", "th_1"))
        let run = document(.run(.created(RunCreated(runID: "run_1", title: "Title", goal: "Goal"))))
        #expect((run?.title, run?.contentText, run?.lang) == ("Title", "Title\nGoal", "und"))
        #expect(document(.run(.created(RunCreated(runID: "run_1")))) == nil)
        let text = ArtifactContent(type: .text, text: "content")
        let artifact = document(.artifact(.created(ArtifactCreated(artifactID: "art_1", kind: "k", content: text))))
        #expect((artifact?.docType, artifact?.contentText) == (.artifact, "content"))
        let json = ArtifactContent(type: .json, json: ["a": "secret plan"])
        #expect(document(.artifact(.created(ArtifactCreated(artifactID: "art_1", kind: "k", content: json)))) == nil)
        let incident = document(
            .incident(.opened(IncidentOpened(incidentID: "inc_1", title: "Disk full", summary: "on a"))))
        #expect((incident?.docType, incident?.contentText) == (.incident, "Disk full\non a"))
        #expect(document(.thread(.created(ThreadCreated(title: "t", status: "open")))) == nil)
    }
}
