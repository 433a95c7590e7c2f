// swift-tools-version:6.0
import PackageDescription

// `scripts/ffi` makes the library and the sources that this package is made of.
let package = Package(
    name: "Plannt",
    platforms: [.iOS(.v15), .macOS(.v12), .tvOS(.v15), .watchOS(.v8)],
    products: [.library(name: "Plannt", targets: ["Plannt"])],
    targets: [
        .systemLibrary(name: "PlanntFFI"),
        .target(
            name: "Plannt",
            dependencies: ["PlanntFFI"],
            // The generated source is Swift 5's.
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: [.unsafeFlags(["-L\(Context.packageDirectory)/lib"])]
        ),
        .testTarget(name: "PlanntTests", dependencies: ["Plannt"]),
    ]
)
