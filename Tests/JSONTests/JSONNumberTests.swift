import JSON
import Testing

@Suite("Numbers")
struct JSONNumberTests {
    struct Vector: Sendable, CustomStringConvertible {
        var bits: UInt64
        var text: String
        var description: String { text }

        init(_ bits: UInt64, _ text: String) { (self.bits, self.text) = (bits, text) }
    }

    /// RFC 8785, appendix B.
    static let vectors = [
        Vector(0x0000_0000_0000_0000, "0"), Vector(0x8000_0000_0000_0000, "0"),
        Vector(0x0000_0000_0000_0001, "5e-324"), Vector(0x8000_0000_0000_0001, "-5e-324"),
        Vector(0x7FEF_FFFF_FFFF_FFFF, "1.7976931348623157e+308"),
        Vector(0xFFEF_FFFF_FFFF_FFFF, "-1.7976931348623157e+308"),
        Vector(0x4340_0000_0000_0000, "9007199254740992"), Vector(0xC340_0000_0000_0000, "-9007199254740992"),
        Vector(0x4430_0000_0000_0000, "295147905179352830000"),
        Vector(0x44B5_2D02_C7E1_4AF5, "9.999999999999997e+22"), Vector(0x44B5_2D02_C7E1_4AF6, "1e+23"),
        Vector(0x44B5_2D02_C7E1_4AF7, "1.0000000000000001e+23"),
        Vector(0x444B_1AE4_D6E2_EF4E, "999999999999999700000"), Vector(0x444B_1AE4_D6E2_EF4F, "999999999999999900000"),
        Vector(0x444B_1AE4_D6E2_EF50, "1e+21"), Vector(0x3EB0_C6F7_A0B5_ED8C, "9.999999999999997e-7"),
        Vector(0x3EB0_C6F7_A0B5_ED8D, "0.000001"), Vector(0x41B3_DE43_5555_5553, "333333333.3333332"),
        Vector(0x41B3_DE43_5555_5554, "333333333.33333325"), Vector(0x41B3_DE43_5555_5555, "333333333.3333333"),
        Vector(0x41B3_DE43_5555_5556, "333333333.3333334"), Vector(0x41B3_DE43_5555_5557, "333333333.33333343"),
        Vector(0xBECB_F647_612F_3696, "-0.0000033333333333333333"), Vector(0x4314_3FF3_C1CB_0959, "1424953923781206.2"),
    ]

    @Test("are written as RFC 8785 has them", arguments: vectors)
    func written(_ vector: Vector) {
        var writer = JSONWriter()
        writer.number(Double(bitPattern: vector.bits))
        #expect(utf8(writer.bytes) == vector.text)
    }

    @Test("are read exactly within ±(2^53 − 1) and refused beyond", arguments: vectors)
    func read(_ vector: Vector) throws {
        let number = Double(bitPattern: vector.bits)
        guard abs(number) <= JSON.integerMagnitudeMax else {
            #expect(refusal(vector.text)?.kind == .numberOutOfRange)
            return
        }
        #expect(try JSON.parse(vector.text).doubleValue == number)
        #expect(try canonicalText(vector.text) == vector.text)
    }

    @Test("read back as the same bits when written, whatever they are")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 53)
        for _ in 0..<20_000 {
            let number = generator.fraction()
            let text = utf8(JSON.write(JSONValue(number: number)))
            #expect(try JSON.parse(text).doubleValue?.bitPattern == number.bitPattern, "\(text)")
        }
    }

    @Test("with an integral value are integers, however they are written", arguments: ["5", "5.0", "50e-1", "0.5e1"])
    func integral(text: String) throws {
        #expect(try JSON.parse(text) == .integer(5))
    }

    @Test("are written digit by digit at every length")
    func integers() throws {
        var magnitude: Int64 = 1
        while Double(magnitude) <= JSON.integerMagnitudeMax {
            for value in [magnitude - 1, magnitude, -magnitude, 1 - magnitude] {
                #expect(utf8(JSON.write(.integer(value))) == String(value))
                #expect(try JSON.parse(String(value)) == .integer(value))
            }
            magnitude *= 10
        }
        #expect(utf8(JSON.write(.integer(.max))) == "9223372036854775807")
        #expect(utf8(JSON.write(.integer(.min))) == "-9223372036854775808")
    }
}
