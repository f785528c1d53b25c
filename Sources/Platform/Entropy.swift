import CLinux
import Synchronization

/// Where randomness comes from: a seam, so that a run can be repeated from a seed.
package protocol Entropy: Sendable {
    /// Fresh random bytes.
    func bytes(_ count: Int) -> [UInt8]
}

extension Entropy {
    /// A number evenly spread over `range`.
    package func integer(in range: ClosedRange<Int64>) -> Int64 {
        // Wrapping: a range may be wider than an Int64 can count.
        let span = UInt64(bitPattern: range.upperBound &- range.lowerBound) &+ 1
        let random = bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return range.lowerBound &+ Int64(truncatingIfNeeded: span == 0 ? random : random % span)
    }
}

/// The kernel's random source, read in blocks because identifiers are drawn for every event.
package final class SystemEntropy: Entropy {
    private static let blockBytes = 4096
    private let block = Mutex<[UInt8]>([])

    package init() {}

    package func bytes(_ count: Int) -> [UInt8] {
        if count > Self.blockBytes { return Self.fromKernel(count) }
        return block.withLock { block in
            if block.count < count { block = Self.fromKernel(Self.blockBytes) }
            let taken = Array(block.suffix(count))
            block.removeLast(count)
            return taken
        }
    }

    private static func fromKernel(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = getrandom(buffer.baseAddress! + filled, count - filled, 0)
                if got < 0 {
                    precondition(errno == EINTR, "getrandom failed: no identifier can be made")
                } else {
                    filled += got
                }
            }
        }
    }
}

/// A repeatable source: SplitMix64 (Steele, Lea, Flood 2014). For tests and simulation only.
package final class SeededEntropy: Entropy {
    private let state: Mutex<UInt64>

    package init(seed: UInt64) { state = Mutex(seed) }

    package func bytes(_ count: Int) -> [UInt8] {
        state.withLock { state in
            var bytes: [UInt8] = []
            while bytes.count < count {
                state &+= 0x9E37_79B9_7F4A_7C15
                var word = state
                word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
                word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
                word ^= word >> 31
                for shift in stride(from: UInt64(0), to: 64, by: 8) where bytes.count < count {
                    bytes.append(UInt8(truncatingIfNeeded: word >> shift))
                }
            }
            return bytes
        }
    }
}
