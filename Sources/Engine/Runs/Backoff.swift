package import Platform

/// Waiting times that grow with every failure, spread so that many engines do not come back at once.
package struct Backoff: Sendable {
    package static let initialMs: Int64 = 100
    package static let maxMs: Int64 = 5_000

    private let entropy: any Entropy
    private var ceiling = initialMs

    package init(entropy: any Entropy) { self.entropy = entropy }

    /// The next wait: between half and all of a time that doubles.
    package mutating func next() -> Int64 {
        defer { ceiling = min(ceiling * 2, Self.maxMs) }
        return entropy.integer(in: (ceiling / 2)...ceiling)
    }

    package mutating func reset() { ceiling = Self.initialMs }
}

extension Entropy {
    /// Evenly spread over 0..<1.
    func fraction() -> Double { Double(integer(in: 0...(1 << 53 - 1))) / Double(1 << 53) }
}
