// A stub of httpmime, which only Maven Central has. The generated code imports it and never uses it.
package org.apache.http.entity.mime;

public final class MultipartEntityBuilder {
  private MultipartEntityBuilder() {}
}
