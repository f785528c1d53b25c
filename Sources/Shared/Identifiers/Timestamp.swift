package import JSON

/// A point in time with millisecond precision; on the wire RFC 3339 in UTC (`2026-03-04T05:06:07.089Z`).
package struct Timestamp: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Reads RFC 3339 with any offset and up to nine fractional digits; what is finer than milliseconds is cut.
    /// Nil for anything else, also for dates that no calendar has, and for those outside the years 0000 to 9999 of UTC.
    package init?(_ text: some StringProtocol) {
        guard let milliseconds = RFC3339.milliseconds(Array(text.utf8)) else { return nil }
        self.milliseconds = milliseconds
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected an RFC 3339 time such as 2026-03-04T05:06:07.089Z")
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// What is outside the years 0000 to 9999 is written as the nearest end.
    package var description: String { RFC3339.text(milliseconds) }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// Ends at the end of what can be counted.
    package func adding(milliseconds: Int64) -> Timestamp {
        let (sum, isOver) = self.milliseconds.addingReportingOverflow(milliseconds)
        return Timestamp(milliseconds: isOver ? (milliseconds > 0 ? .max : .min) : sum)
    }
}

extension Timestamp: JSONSchemaDescribed {
    package static var jsonSchema: JSONValue { ["type": "string", "format": "date-time"] }
    package static var jsonSample: Timestamp { Timestamp(milliseconds: 0) }
}

/// RFC 3339 text and milliseconds since 1970, by the proleptic Gregorian calendar.
private enum RFC3339 {
    /// What four digits of a year can write: 0000-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z.
    private static let range: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    static func text(_ milliseconds: Int64) -> String {
        let milliseconds = min(max(milliseconds, range.lowerBound), range.upperBound)
        let (day, rest) = floorDivide(milliseconds, 86_400_000)
        let (year, month, date) = civil(fromDays: day)
        return String(unsafeUninitializedCapacity: 24) { buffer in
            var end = 0
            func put(_ value: Int64, _ width: Int) {
                var value = value
                for index in stride(from: end + width - 1, through: end, by: -1) {
                    buffer[index] = UInt8(ascii: "0") + UInt8(value % 10)
                    value /= 10
                }
                end += width
            }
            func put(_ character: Unicode.Scalar) {
                buffer[end] = UInt8(ascii: character)
                end += 1
            }
            put(year, 4)
            put("-")
            put(month, 2)
            put("-")
            put(date, 2)
            put("T")
            put(rest / 3_600_000, 2)
            put(":")
            put(rest / 60_000 % 60, 2)
            put(":")
            put(rest / 1000 % 60, 2)
            put(".")
            put(rest % 1000, 3)
            put("Z")
            return end
        }
    }

    static func milliseconds(_ text: [UInt8]) -> Int64? {
        var reader = Reader(text: text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let date = reader.number(2), reader.take("T") || reader.take("t"), let hour = reader.number(2),
            reader.take(":"), let minute = reader.number(2), reader.take(":"), let second = reader.number(2)
        else { return nil }
        var fraction: Int64 = 0
        if reader.take(".") {
            guard let digits = reader.digits(atMost: 9) else { return nil }
            fraction = (digits + [0, 0]).prefix(3).reduce(0) { $0 * 10 + Int64($1) }
        }
        guard let offset = reader.offset(), reader.isAtEnd,
            (1...12).contains(month), date >= 1, date <= daysIn(month: month, year: year),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = days(fromCivil: year, month, date)
        let milliseconds = ((days * 24 + hour) * 60 + minute - offset) * 60_000 + second * 1000 + fraction
        return range.contains(milliseconds) ? milliseconds : nil
    }

    private struct Reader {
        var text: [UInt8]
        var at = 0
        var isAtEnd: Bool { at == text.count }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard at < text.count, text[at] == UInt8(ascii: character) else { return false }
            at += 1
            return true
        }

        mutating func digits(atMost count: Int) -> [UInt8]? {
            let found = text[at...].prefix { $0 >= 48 && $0 <= 57 }
            guard !found.isEmpty, found.count <= count else { return nil }
            at += found.count
            return found.map { $0 - 48 }
        }

        mutating func number(_ width: Int) -> Int64? {
            guard at + width <= text.count, text[at..<at + width].allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
                return nil
            }
            defer { at += width }
            return text[at..<at + width].reduce(0) { $0 * 10 + Int64($1 - 48) }
        }

        /// Minutes east of Greenwich.
        mutating func offset() -> Int64? {
            if take("Z") || take("z") { return 0 }
            let sign: Int64 = take("+") ? 1 : take("-") ? -1 : 0
            guard sign != 0, let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
            else { return nil }
            return sign * (hours * 60 + minutes)
        }
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
        let rest = (value % by + by) % by
        return ((value - rest) / by, rest)
    }

    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // Days and dates by Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    private static func days(fromCivil year: Int64, _ month: Int64, _ date: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(year, 400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + date - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(fromDays days: Int64) -> (Int64, Int64, Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
