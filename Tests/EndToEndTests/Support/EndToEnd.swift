import Platform
import Testing

/// Tests with the real programs. One after the other: each has its own api and engines, and all share two cores.
@Suite(.serialized) enum EndToEnd {
    /// Every random choice comes from here: `AOS_E2E_SEED` repeats a run.
    static let seed: UInt64 = {
        let told = Program.environment()["AOS_E2E_SEED"].flatMap { UInt64($0) }
        let seed = told ?? SystemEntropy().bytes(4).reduce(0) { $0 << 8 | UInt64($1) }
        print("SEED=\(seed)")
        return seed
    }()

    /// How often the repeated tests repeat; `AOS_E2E_ROUNDS` replaces the count of each.
    static func rounds(_ standard: Int) -> Int {
        Program.environment()["AOS_E2E_ROUNDS"].flatMap { Int($0) } ?? standard
    }

    /// How much of something there is; the environment's variable replaces it.
    static func count(_ name: String, _ standard: Int) -> Int {
        Program.environment()[name].flatMap { Int($0) } ?? standard
    }

    static func random(_ test: UInt64) -> SeededEntropy { SeededEntropy(seed: seed &* 1_000_003 &+ test) }

    /// What a test has measured, for people.
    static func say(_ text: String) { Program.say("    E2E \(text)") }
}

/// Times of one kind.
struct Figures: Sendable {
    private var values: [Int64] = []

    mutating func add(_ value: Int64) { values.append(value) }

    var count: Int { values.count }
    var largest: Int64 { values.max() ?? 0 }
    var median: Int64 { percentile(50) }

    func percentile(_ percent: Int) -> Int64 {
        guard !values.isEmpty else { return 0 }
        return values.sorted()[min(values.count - 1, values.count * percent / 100)]
    }

    /// `p50 3.1 ms, p99 7.0 ms, max 8.2 ms` of nanoseconds.
    var inMilliseconds: String {
        func text(_ nanoseconds: Int64) -> String {
            "\(nanoseconds / 1_000_000).\(nanoseconds / 100_000 % 10)"
        }
        return "p50 \(text(median)) ms, p99 \(text(percentile(99))) ms, max \(text(largest)) ms (n=\(values.count))"
    }
}
