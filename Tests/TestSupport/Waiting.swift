import Platform

/// Something that a test waited for in vain, or found where it must not be.
package struct TestFailure: Error, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

/// Asks until the answer is there. For what other threads do: the deadline is for a broken program only.
package func eventually<Value>(
    _ what: String, milliseconds: Int64 = 20_000, _ attempt: () throws -> Value?
) throws -> Value {
    let clock = SystemClock()
    let deadline = clock.monotonicMilliseconds() + milliseconds
    let pause = Monitor(())
    while true {
        if let value = try attempt() { return value }
        guard clock.monotonicMilliseconds() < deadline else { throw TestFailure("waited in vain for \(what)") }
        _ = pause.wait(milliseconds: 5) { _ in Bool?.none }
    }
}

package func eventually(_ what: String, milliseconds: Int64 = 20_000, _ attempt: () throws -> Bool) throws {
    _ = try eventually(what, milliseconds: milliseconds) { try attempt() ? true : nil }
}

/// Runs `body` on so many threads at once, all of them let go together, and waits for all.
/// - Returns: What each came to, in the order of their numbers.
package func race<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
    let gate = Monitor(false)
    let results = Monitor([Int: Result<Value, any Error>]())
    for number in 0..<count {
        Thread.start("racer-\(number)") {
            _ = gate.wait { $0 ? true : nil }
            let result = Result { try body(number) }
            results.update { $0[number] = result }
        }
    }
    gate.update { $0 = true }
    guard let all = results.wait(milliseconds: 120_000, until: { $0.count == count ? $0 : nil }) else {
        throw TestFailure("the racers did not come home")
    }
    return try (0..<count).map { try all[$0]!.get() }
}

/// Something that runs beside the test, such as a long poll.
package final class Beside<Value: Sendable>: Sendable {
    private let result = Monitor<Result<Value, any Error>?>(nil)

    package init(_ body: @escaping @Sendable () throws -> Value) {
        let result = result
        Thread.start("beside") {
            let value = Result { try body() }
            result.update { $0 = value }
        }
    }

    package var isDone: Bool { result.read { $0 != nil } }

    /// What it came to.
    package func value(milliseconds: Int64 = 20_000) throws -> Value {
        guard let result = result.wait(milliseconds: milliseconds, until: { $0 }) else {
            throw TestFailure("it did not end")
        }
        return try result.get()
    }
}
