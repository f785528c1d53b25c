import CLinux

/// Time as the system sees it: a seam, so that a test or the simulator can own it.
package protocol Clock: Sendable {
    /// Nanoseconds since an arbitrary start, never going backwards: for durations, leases and time-outs.
    func monotonicNanoseconds() -> Int64
    /// Milliseconds since 1970-01-01T00:00:00Z, as the machine believes: for showing to people only.
    func wallMilliseconds() -> Int64
}

extension Clock {
    /// ``monotonicNanoseconds()`` in milliseconds.
    package func monotonicMilliseconds() -> Int64 { monotonicNanoseconds() / 1_000_000 }
}

/// The clocks of the kernel.
package struct SystemClock: Clock {
    package init() {}

    package func monotonicNanoseconds() -> Int64 { Self.read(CLOCK_MONOTONIC) }

    package func wallMilliseconds() -> Int64 { Self.read(CLOCK_REALTIME) / 1_000_000 }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
