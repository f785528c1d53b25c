import JSON
import Platform

/// Secrets as files: one each, its name the secret's, readable by nobody else.
package struct SecretStore: Sendable {
    package static let secretBytesMax = 64 << 10

    private let folder: String?
    private let reserved: String?

    /// - Parameter reserved: A file that may lie among them and is the engine's own: no plan gets it.
    package init(folder: String?, reserved: String? = nil) { (self.folder, self.reserved) = (folder, reserved) }

    package func value(_ name: String) throws(ToolFailure) -> String {
        guard let folder, !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), !name.hasPrefix(".") else {
            throw missing(name, "no folder of secrets is set (ENGINE_SECRETS_DIR)")
        }
        let path = "\(folder)/\(name)"
        guard Files.exists(path), reserved.map({ Files.resolved($0) != Files.resolved(path) }) ?? true else {
            throw missing(name, "there is no such file in the folder of secrets")
        }
        do throws(SystemError) {
            let file = try Descriptor.openToRead(path)
            guard try file.status().mode & 0o077 == 0 else {
                throw SystemError("open", "its file is readable by others; set its mode to 0600;", number: 13)
            }
            let bytes = try file.readAll(bytesMax: Self.secretBytesMax, path)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw SystemError("read", "it is no text;", number: 22)
            }
            // Editors end files with a line end that is no part of the secret.
            return text.last?.isNewline == true ? String(text.dropLast()) : text
        } catch { throw missing(name, error.description) }
    }

    private func missing(_ name: String, _ reason: String) -> ToolFailure {
        ToolFailure("secret_not_found", "secret \(name) cannot be used: \(reason)", details: ["secret": .string(name)])
    }
}
