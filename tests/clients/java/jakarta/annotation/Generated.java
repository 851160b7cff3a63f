// A stub of the annotation in jakarta.annotation-api, which only Maven Central has.
package jakarta.annotation;

public @interface Generated {
  String[] value();

  String date() default "";

  String comments() default "";
}
