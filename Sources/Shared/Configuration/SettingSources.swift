/// Settings that are wrong, all of them at once: a program with faults says them and does not start.
package struct SettingFaults: Error, Sendable {
    package var faults: [Settings.Fault]

    package init(faults: [Settings.Fault]) { self.faults = faults }
}

extension Settings {
    package static let envFileBytesMax = 1 << 20

    /// What the file named by `AOS_ENV_FILE` says; nothing where none is named.
    /// - Parameter read: The file's bytes; throws why it cannot be read.
    package static func envFile(
        named environment: [String: String], read: (String) throws -> [UInt8]
    ) throws(SettingFaults) -> [String: String] {
        guard let path = environment["AOS_ENV_FILE"], !path.isEmpty else { return [:] }
        return try linesFile(path, named: "AOS_ENV_FILE", read: read)
    }

    /// The `NAME=value` lines of a file.
    /// - Parameters:
    ///   - name: The setting that says where it is.
    ///   - read: The file's bytes; throws why it cannot be read.
    package static func linesFile(
        _ path: String, named name: String, read: (String) throws -> [UInt8]
    ) throws(SettingFaults) -> [String: String] {
        let bytes: [UInt8]
        do {
            bytes = try read(path)
        } catch {
            throw SettingFaults(
                faults: [
                    Fault(
                        name: name, seen: "\(error)", allowed: "a file of NAME=value lines",
                        origin: .environment)
                ])
        }
        let (values, faults) = parseFile(String(decoding: bytes, as: UTF8.self), name: path)
        guard faults.isEmpty else { throw SettingFaults(faults: faults) }
        return values
    }

    package static let secretBytesMax = 64 << 10

    /// The settings that a service manager may hand over as credentials (systemd's `LoadCredential=`), by their names: what
    /// is secret in them is then in no environment.
    package static let credentialNames = [
        "AUTH_BOOTSTRAP_TOKEN", "DATABASE_MIGRATION_URL", "DATABASE_URL", "METRICS_TOKEN",
    ]

    /// What stands in `$CREDENTIALS_DIRECTORY` under these names.
    /// - Parameter read: The file's bytes; nil where there is none.
    package static func credentials(
        _ environment: [String: String], read: (String) -> [UInt8]?
    ) -> [String: String] {
        guard let folder = environment["CREDENTIALS_DIRECTORY"], !folder.isEmpty else { return [:] }
        var values: [String: String] = [:]
        for name in credentialNames {
            guard let bytes = read("\(folder)/\(name)") else { continue }
            values[name] = String(decoding: bytes, as: UTF8.self).filter { !$0.isNewline }
        }
        return values
    }

    /// The folder with everything that must not be lost: `AOS_DATA_DIR`, else systemd's state directory, else the user's.
    package mutating func dataDirectory(_ environment: [String: String]) -> String {
        func set(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let state = set("STATE_DIRECTORY")?.split(separator: ":").first.map(String.init)
        let user = (set("XDG_DATA_HOME") ?? (set("HOME") ?? ".") + "/.local/share") + "/aos"
        let named = value("AOS_DATA_DIR", allowed: "an absolute path") { $0.hasPrefix("/") ? $0 : nil }
        return named ?? state ?? user
    }
}
