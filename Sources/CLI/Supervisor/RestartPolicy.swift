package import Platform

/// Decides about a program that has ended by itself: start it again, and when, or give up. Pure.
package struct RestartPolicy: Sendable {
    /// More restarts than this within the window are no accident any more.
    package static let restartsMax = 5
    package static let windowMilliseconds: Int64 = 60_000
    /// The pause before the first restart of a window; it doubles with each further one up to the last.
    package static let backOffMilliseconds: ClosedRange<Int64> = 200...10_000

    package enum Verdict: Hashable, Sendable {
        case restart(afterMilliseconds: Int64)
        case giveUp(String)
    }

    /// When it was started again within the window, by the monotonic clock.
    private var restarts: [Int64] = []

    package init() {}

    /// - Parameter exit: Nil when it could not be started at all.
    package mutating func ended(_ exit: ProcessEnd.Exit?, atMilliseconds now: Int64) -> Verdict {
        if let reason = Self.hopeless(exit) { return .giveUp(reason) }
        forget(atMilliseconds: now)
        guard restarts.count < Self.restartsMax else {
            return .giveUp(
                "it has ended \(restarts.count + 1) times within \(Self.windowMilliseconds / 1000) s, at most \(Self.restartsMax) restarts are tried"
            )
        }
        let pause = Self.backOffMilliseconds.lowerBound << Int64(restarts.count)
        restarts.append(now)
        return .restart(afterMilliseconds: min(pause, Self.backOffMilliseconds.upperBound))
    }

    /// How many restarts count at this moment.
    package mutating func recent(atMilliseconds now: Int64) -> Int {
        forget(atMilliseconds: now)
        return restarts.count
    }

    /// When the oldest of them stops counting.
    package var nextChangeAtMilliseconds: Int64? { restarts.first.map { $0 + Self.windowMilliseconds } }

    private mutating func forget(atMilliseconds now: Int64) {
        restarts.removeAll { $0 + Self.windowMilliseconds <= now }
    }

    /// Why another start would end as this one did.
    private static func hopeless(_ exit: ProcessEnd.Exit?) -> String? {
        guard let exit else { return "it cannot be started" }
        guard case .code(let code) = exit, let known = ExitCode(rawValue: Int32(code)) else { return nil }
        switch known {
        case .configuration, .usage, .authentication: return known.meaning
        case .ok, .failed, .denied, .internalFailure: return nil
        }
    }
}
