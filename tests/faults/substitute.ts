/** A port with some of its methods replaced; the rest stays the real one. */
export function substitute<Port extends object>(port: Port, methods: Partial<Port>): Port {
  return new Proxy(port, {
    get(target, name) {
      if (name in methods) return Reflect.get(methods, name) as unknown;
      const value = Reflect.get(target, name, target) as unknown;
      // Private fields belong to the object itself, not to what stands in front of it.
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
