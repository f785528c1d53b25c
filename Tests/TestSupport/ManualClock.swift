import Platform
import Synchronization

/// Time that stands until it is moved; both clocks move together.
package final class ManualClock: Clock {
    private let milliseconds: Mutex<Int64>
    /// 2026-03-04T05:06:07Z.
    private static let wallStart: Int64 = 1_772_600_767_000

    package init(startMilliseconds: Int64 = 1_000_000) { milliseconds = Mutex(startMilliseconds) }

    package func advance(_ by: Int64) { milliseconds.withLock { $0 += by } }

    package func monotonicNanoseconds() -> Int64 { milliseconds.withLock { $0 * 1_000_000 } }
    package func wallMilliseconds() -> Int64 { milliseconds.withLock { Self.wallStart + $0 } }
}
