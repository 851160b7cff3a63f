// Stands in for the jar of that name, which only Maven Central has.
package jakarta.annotation;

public @interface Nullable {}
