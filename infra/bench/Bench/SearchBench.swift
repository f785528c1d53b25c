import APIClient
import HTTP
import JSON
import Platform
import Shared

extension Bench {
    private static let threads = 32
    private static let threadsInRoom = 20
    private static let queriesOfAKind = 40
    private static let warmUpQueries = 20

    /// Says `count` messages over 32 connections, then searches them over one, and prints the queries too, for a peer.
    func search() throws {
        let owner = client()
        let room = try room()
        let places = try (0..<Self.threadsInRoom).map { number in
            try owner.call(.createThread, CreateThread(title: "bench \(number)"), ["room_id": room.rawValue]).threadID
        }
        let began = clock.monotonicMilliseconds()
        try load(places)
        let loadedMs = clock.monotonicMilliseconds() - began
        var words = Words(seed: 4_711)
        let kinds: [(name: String, text: (inout Words) -> String)] = [
            ("word", { $0.word(atLeast: 3) }), ("part", { String($0.word(atLeast: 4).dropFirst()) }),
            ("phrase", { "\($0.word(atLeast: 2)) \($0.word(atLeast: 2))" }),
            ("pair", { String($0.word(atLeast: 2).prefix(2)) }), ("absent", { "q\($0.word(atLeast: 2))q" }),
        ]
        let queries = (0..<Self.queriesOfAKind).flatMap { _ in kinds.map { (kind: $0.name, text: $0.text(&words)) } }
        for query in queries.prefix(Self.warmUpQueries) { _ = try ask(query.text, owner) }
        var (all, byKind): ([Double], [String: [Double]]) = ([], [:])
        for query in queries {
            let start = clock.monotonicNanoseconds()
            _ = try ask(query.text, owner)
            let milliseconds = Double(clock.monotonicNanoseconds() - start) / 1e6
            all.append(milliseconds)
            byKind[query.kind, default: []].append(milliseconds)
        }
        var facts = percentiles(all, "search_ms")
        for (kind, times) in byKind { facts[kind] = .object(percentiles(times, "ms")) }
        facts["load_seconds"] = .number(Double(loadedMs) / 1000)
        facts["messages"] = .integer(Int64(count))
        facts["queries"] = .array(queries.map { .string($0.text) })
        report(facts)
    }

    private func ask(_ text: String, _ client: APIClient) throws -> SearchAnswer {
        try client.call(.search, Nothing(), query: [("q", text)])
    }

    private func load(_ places: [ThreadID]) throws {
        let failure = Monitor<String?>(nil)
        let workers = (0..<Self.threads).map { number in
            Thread.start("writer-\(number)") {
                let writer = client()
                var words = Words(seed: UInt64(number + 1))
                for index in stride(from: number, to: count, by: Self.threads) {
                    do {
                        _ = try writer.call(
                            .postMessage, PostMessage(contentMd: words.message(), lang: "en"),
                            ["thread_id": places[index % places.count].rawValue])
                    } catch {
                        failure.update { $0 = "\(error)" }
                        return
                    }
                }
            }
        }
        for worker in workers { worker.join() }
        if let failure = failure.read({ $0 }) {
            Program.complain("a message was not taken: \(failure)")
            Program.exit(1)
        }
    }
}

/// Text with the statistics of a language: the word of rank n is about 1/n as frequent as the first (Zipf), and a
/// message has some 5 to 60 words.
struct Words {
    private static let syllables = [
        "a", "be", "ci", "do", "fu", "ga", "he", "in", "jo", "ku", "la", "me", "ni", "or", "pu", "ra", "se", "ti", "on",
        "vu", "sta", "the", "kri", "plo", "tru", "ban", "den", "fir", "gol", "hun", "ter", "ver",
    ]
    /// 2^15 words, of three syllables at most.
    private static let rankBits: Int64 = 15

    private let dice: SeededEntropy

    init(seed: UInt64) { dice = SeededEntropy(seed: seed) }

    mutating func word() -> String {
        // Equally often of each number of bits: the density of ranks falls as 1/n.
        let bits = dice.integer(in: 0...Self.rankBits - 1)
        var rank = Int((1 << bits) + dice.integer(in: 0...(1 << bits) - 1))
        var word = ""
        while rank > 0 {
            word += Self.syllables[rank % Self.syllables.count]
            rank /= Self.syllables.count
        }
        return word
    }

    mutating func word(atLeast characters: Int) -> String {
        while true {
            let word = word()
            if word.count >= characters { return word }
        }
    }

    mutating func message() -> String {
        let most = dice.integer(in: 5...60)
        return (0..<dice.integer(in: 5...max(5, most))).map { _ in word() }.joined(separator: " ")
    }
}
