import Platform
package import Shared

/// Times, durations and sizes as people read them.
package enum Amounts {
    /// `12s`, `5m`, `3h`, `2d` … ago.
    package static func age(_ time: Timestamp, now: Timestamp) -> String {
        let seconds = (now.milliseconds - time.milliseconds) / 1000
        if seconds < -1 { return "in " + span(seconds: -seconds) }
        return seconds < 2 ? "now" : span(seconds: seconds) + " ago"
    }

    private static func span(seconds: Int64) -> String {
        switch seconds {
        case ..<60: "\(seconds)s"
        case ..<3600: "\(seconds / 60)m"
        case ..<172_800: "\(seconds / 3600)h"
        default: "\(seconds / 86_400)d"
        }
    }

    /// `32 ms`, `1.4 s`, `2m 05s`, `1h 02m`.
    package static func duration(milliseconds: Int64) -> String {
        switch max(0, milliseconds) {
        case let ms where ms < 1000: return "\(ms) ms"
        case let ms where ms < 60_000: return "\(ms / 1000).\(ms % 1000 / 100) s"
        case let ms where ms < 3_600_000: return "\(ms / 60_000)m \(two(ms / 1000 % 60))s"
        case let ms: return "\(ms / 3_600_000)h \(two(ms / 60_000 % 60))m"
        }
    }

    /// `512 B`, `1.2 KiB`, `3.4 MiB`.
    package static func bytes(_ count: Int64) -> String {
        var (value, unit) = (count, 0)
        var tenths: Int64 = 0
        while value >= 1024, unit < 4 {
            (tenths, value, unit) = (value % 1024 * 10 / 1024, value / 1024, unit + 1)
        }
        return unit == 0 ? "\(value) B" : "\(value).\(tenths) \(["", "KiB", "MiB", "GiB", "TiB"][unit])"
    }

    /// The time of day where the machine stands: `14:05:09.123`.
    package static func timeOfDay(_ time: Timestamp) -> String {
        let day: Int64 = 86_400_000
        let local = time.milliseconds + Int64(LocalTime.offsetSeconds(atMilliseconds: time.milliseconds)) * 1000
        let ms = (local % day + day) % day
        let thousandths = String(ms % 1000)
        return "\(two(ms / 3_600_000)):\(two(ms / 60_000 % 60)):\(two(ms / 1000 % 60))."
            + String(repeating: "0", count: 3 - thousandths.count) + thousandths
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
