import CLinux

/// What this process uses of the machine, as `/proc/self` has it.
package struct ProcessUsage: Hashable, Sendable {
    package var residentBytes: Int
    package var virtualBytes: Int
    /// In user and in kernel mode together.
    package var cpuSeconds: Double
    package var openDescriptors: Int

    /// Nil where `/proc` is not there to be read.
    package static func now() -> ProcessUsage? {
        guard let memory = fields("/proc/self/statm"), memory.count >= 2, let pages = Int(memory[0]),
            let resident = Int(memory[1]), let stat = text("/proc/self/stat"), let name = stat.lastIndex(of: ")")
        else { return nil }
        // The name may hold blanks and parentheses; what follows the last one is numbered from 3 (proc_pid_stat(5)).
        let rest = stat[stat.index(after: name)...].split(separator: " ")
        guard rest.count > 12, let user = Double(rest[11]), let kernel = Double(rest[12]) else { return nil }
        let pageBytes = sysconf(Int32(_SC_PAGESIZE))
        return ProcessUsage(
            residentBytes: resident * pageBytes, virtualBytes: pages * pageBytes,
            cpuSeconds: (user + kernel) / Double(sysconf(Int32(_SC_CLK_TCK))),
            openDescriptors: (try? Files.list("/proc/self/fd").count) ?? 0)
    }

    private static func text(_ path: String) -> String? {
        (try? Files.read(path, bytesMax: 4096)).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func fields(_ path: String) -> [Substring]? { text(path)?.split { $0 == " " || $0 == "\n" } }
}
