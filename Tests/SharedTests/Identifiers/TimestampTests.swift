import JSON
import Testing

@testable import Shared

struct TimestampTests {
    @Test(
        "RFC 3339 is read, with any offset, and written in UTC with milliseconds",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"),
            ("2026-03-04T05:06:07.089Z", 1_772_600_767_089, "2026-03-04T05:06:07.089Z"),
            ("2026-03-04t05:06:07.089z", 1_772_600_767_089, "2026-03-04T05:06:07.089Z"),
            ("2026-03-04T05:06:07Z", 1_772_600_767_000, "2026-03-04T05:06:07.000Z"),
            ("2026-03-04T05:06:07.1Z", 1_772_600_767_100, "2026-03-04T05:06:07.100Z"),
            ("2026-03-04T05:06:07.0891239Z", 1_772_600_767_089, "2026-03-04T05:06:07.089Z"),
            ("2026-03-04T05:06:07.123456789Z", 1_772_600_767_123, "2026-03-04T05:06:07.123Z"),
            ("2026-03-04T05:06:07.999999999Z", 1_772_600_767_999, "2026-03-04T05:06:07.999Z"),
            ("2026-03-04T07:36:07+02:30", 1_772_600_767_000, "2026-03-04T05:06:07.000Z"),
            ("2026-03-03T21:06:07-08:00", 1_772_600_767_000, "2026-03-04T05:06:07.000Z"),
            ("2026-03-04T05:06:07+00:00", 1_772_600_767_000, "2026-03-04T05:06:07.000Z"),
            ("2026-03-04T05:06:07-00:00", 1_772_600_767_000, "2026-03-04T05:06:07.000Z"),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            ("2000-02-29T00:00:00Z", 951_782_400_000, "2000-02-29T00:00:00.000Z"),
            ("2000-03-01T00:00:00+23:59", 951_782_460_000, "2000-02-29T00:01:00.000Z"),
            ("1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z"),
            ("1969-12-31T23:59:59Z", -1_000, "1969-12-31T23:59:59.000Z"),
            ("1900-02-28T00:00:00Z", -2_203_977_600_000, "1900-02-28T00:00:00.000Z"),
            ("1582-10-15T00:00:00Z", -12_219_292_800_000, "1582-10-15T00:00:00.000Z"),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            ("0000-02-29T00:00:00Z", -62_162_121_600_000, "0000-02-29T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ])
    func valid(_ text: String, _ milliseconds: Int64, _ written: String) throws {
        let time = try #require(Timestamp(text))
        #expect(time.milliseconds == milliseconds)
        #expect(time.description == written)
        #expect(Timestamp(written) == time)
    }

    @Test(
        "What is no RFC 3339, or no date of any calendar, is refused",
        arguments: [
            "", "now", "2026", "2026-03-04", "2026-03-04T05:06:07", "2026-03-04T05:06Z", "2026-03-04 05:06:07Z",
            "2026-03-04T05:06:07.Z", "2026-03-04T05:06:07.1234567890Z", "2026-03-04T05:06:07,1Z",
            "2026-03-04T05:06:07z ",
            " 2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z\0", "2026-00-04T05:06:07Z", "2026-13-04T05:06:07Z",
            "2026-03-00T05:06:07Z", "2026-03-32T05:06:07Z", "2026-04-31T05:06:07Z", "2026-02-29T05:06:07Z",
            "2024-02-30T05:06:07Z", "1900-02-29T05:06:07Z", "2100-02-29T05:06:07Z", "2026-03-04T24:00:00Z",
            "2026-03-04T05:60:07Z", "2026-03-04T05:06:60Z", "2026-03-04T05:06:07+24:00", "2026-03-04T05:06:07+02:60",
            "2026-03-04T05:06:07+2:00", "2026-03-04T05:06:07+0200", "2026-03-04T05:06:07+02", "2026-03-04T05:06:07+",
            "-2026-03-04T05:06:07Z", "+2026-03-04T05:06:07Z", "12026-03-04T05:06:07Z", "2026-3-4T05:06:07Z",
            "٢٠٢٦-03-04T05:06:07Z", "2026-03-04T05:06:0７Z", "1772600767089", "2026-03-04T05:06:07ZZ",
            // Their UTC is outside the years that RFC 3339 can write.
            "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        ])
    func invalid(_ text: String) { #expect(Timestamp(text) == nil) }

    @Test("Every day of 800 years is written and read back, each one after the day before")
    func everyDay() {
        var before = ""
        var time = Timestamp("1600-01-01T12:00:00Z")!
        for _ in 0..<292_194 {
            let text = time.description
            guard Timestamp(text) == time, text > before else {
                Issue.record("\(before) was followed by \(text)")
                return
            }
            (before, time) = (text, time.adding(milliseconds: 86_400_000))
        }
        #expect(before == "2399-12-31T12:00:00.000Z")
    }

    @Test(
        "A number that is no time of a calendar is written as the nearest that is one",
        arguments: [
            (Int64.min, "0000-01-01T00:00:00.000Z"), (-62_167_219_200_001, "0000-01-01T00:00:00.000Z"),
            (Int64.max, "9999-12-31T23:59:59.999Z"), (253_402_300_800_000, "9999-12-31T23:59:59.999Z"),
        ])
    func clamped(_ milliseconds: Int64, _ written: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == written)
    }

    @Test("Adding more than there is ends at the end of time, not of the program")
    func overflow() {
        #expect(Timestamp(milliseconds: .max).adding(milliseconds: 1).milliseconds == .max)
        #expect(Timestamp(milliseconds: .min).adding(milliseconds: -1).milliseconds == .min)
        #expect(Timestamp(milliseconds: 5).adding(milliseconds: -7).milliseconds == -2)
    }

    @Test("In JSON a time is text, and other text is an error")
    func json() throws {
        let time = Timestamp("2026-03-04T05:06:07.089Z")!
        #expect(String(decoding: try JSON.encode(["at": time]), as: UTF8.self) == #"{"at":"2026-03-04T05:06:07.089Z"}"#)
        #expect(
            try JSON.decode([String: Timestamp].self, from: Array(#"{"at":"2026-03-04T05:06:07.089Z"}"#.utf8)) == [
                "at": time
            ])
        for text in [#"{"at":"soon"}"#, #"{"at":1772600767089}"#, #"{"at":null}"#] {
            #expect(throws: (any Error).self) { try JSON.decode([String: Timestamp].self, from: Array(text.utf8)) }
        }
    }

    @Test("Earlier is less")
    func order() {
        #expect(Timestamp(milliseconds: -1) < Timestamp(milliseconds: 0))
        #expect(Timestamp("2026-03-04T05:06:07Z")! < Timestamp("2026-03-04T05:06:07.001Z")!)
    }
}
