// Tells the server a random secret that this browser keeps, so that it knows whose runs are whose.

export default function ({ setStateValue }) {
  const name = "digit-lab-visitor"
  let secret = null
  try {
    secret = window.localStorage.getItem(name)
    if (!/^[0-9a-f]{32}$/.test(secret ?? "")) {
      const bytes = window.crypto.getRandomValues(new Uint8Array(16))
      secret = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
      window.localStorage.setItem(name, secret)
    }
  } catch {
    return // a browser that keeps nothing is known for one session, by the server
  }
  if (window.digitLabToldSecret !== secret) {
    window.digitLabToldSecret = secret
    setStateValue("secret", secret)
  }
}
