/// How often a step's call is tried, and how long to wait between two attempts.
package struct Retry: Hashable, Sendable {
    package static let attemptsRange = 1...20
    package static let delayMsRange = 0...86_400_000
    package static let factorRange = 1.0...100.0

    /// A step without `retry` is tried once.
    package static let never = Self(maxAttempts: 1)

    package let maxAttempts: Int
    package let initialMs: Int
    package let factor: Double
    package let maxMs: Int

    package init(maxAttempts: Int, initialMs: Int = 500, factor: Double = 2, maxMs: Int = 30_000) {
        self.maxAttempts = maxAttempts
        self.initialMs = initialMs
        self.factor = factor
        self.maxMs = maxMs
    }

    /// Whether another attempt may follow the given one (the first is 1).
    package func allowsAnother(after attempt: Int) -> Bool { attempt < maxAttempts }

    /// Milliseconds to wait after the given failed attempt (the first is 1): exponential with full jitter, so anything
    /// from 0 up to `ceiling(attempt:)`. `random` is in 0..<1.
    package func delay(attempt: Int, random: Double) -> Int {
        precondition((0..<1).contains(random), "the random value of a back-off lies in 0..<1")
        return Int(random * Double(ceiling(attempt: attempt) + 1))
    }

    /// The longest wait after the given attempt.
    package func ceiling(attempt: Int) -> Int {
        var ceiling = Double(initialMs)
        var step = 1
        while step < attempt, ceiling < Double(maxMs), ceiling > 0, factor > 1 {
            ceiling *= factor
            step += 1
        }
        return Int(min(ceiling, Double(maxMs)))
    }
}
