// A page of http://app.example, as far as the clients look at one. jsdom sends real requests, asks the server beforehand what
// a page of this origin may do, and hides the headers that the server does not expose: what a browser does, these tests do.
'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { CookieJar, JSDOM } = require('jsdom')

const origin = 'http://app.example'
const [log, mails] = process.argv.slice(2)

// visit makes the globals those of a page, and what is loaded from now on a part of it. Pages share their cookies.
const jar = new CookieJar()
function visit (url = origin + '/') {
  const { window } = new JSDOM('<!DOCTYPE html>', { url, cookieJar: jar })
  Object.assign(global, {
    window, document: window.document, navigator: window.navigator, location: window.location, localStorage: window.localStorage,
    XMLHttpRequest: window.XMLHttpRequest
  })
  sortHeaders(window.XMLHttpRequest.prototype)
  for (const name of Object.keys(require.cache)) {
    if (!name.includes('jsdom')) delete require.cache[name]
  }
}

// sortHeaders has the names of headers asked for as the Fetch standard says, in lower case and in order, and not as they were set:
// rs/cors counts on that.
function sortHeaders (request) {
  const { setRequestHeader, send } = request
  const headers = new WeakMap()
  request.setRequestHeader = function (name, value) {
    headers.set(this, [...headers.get(this) || [], [name.toLowerCase(), value]])
  }
  request.send = function (body) {
    for (const [name, value] of (headers.get(this) || []).sort(([a], [b]) => a < b ? -1 : 1)) setRequestHeader.call(this, name, value)
    send.call(this, body)
  }
}

// server is the URL of the server that writes the log.
async function server () {
  for (let i = 0; i < 200; i++) {
    const found = fs.existsSync(log) && fs.readFileSync(log, 'utf8').match(/url=(http:\/\/\S+)/)
    if (found) return found[1]
    await sleep(50)
  }
  throw new Error('the server does not start')
}

// follow opens the link to a path in a mail to somebody, and returns where the server sends the browser.
const followed = new Set()
async function follow (email, part) {
  const url = await server()
  for (let i = 0; i < 200; i++) {
    for (const name of fs.existsSync(mails) ? fs.readdirSync(mails) : []) {
      const text = fs.readFileSync(path.join(mails, name), 'utf8').replace(/=\r?\n/g, '').replace(/=3D/g, '=')
      const link = text.match(new RegExp('http://\\S+' + part + '\\S*'))
      if (text.includes(email) && link && !followed.has(link[0])) {
        followed.add(link[0])
        const { pathname, search } = new URL(link[0])
        const response = await fetch(url + pathname + search, { redirect: 'manual' })
        assert.equal(response.status, 302, link[0] + ': ' + await response.text())
        return response.headers.get('location')
      }
    }
    await sleep(50)
  }
  throw new Error('no mail to ' + email + ' has a link to ' + part)
}

// run runs the steps, and says which of them failed.
async function run (steps) {
  process.on('exit', (code) => { process.exitCode = code || Number(!over) }) // a promise that is never kept ends node, and quietly
  let over = false
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step()
    } catch (e) {
      console.error(`${path.basename(process.argv[1])}: ${name}:`, e && e.data ? JSON.stringify(e) : e)
      process.exit(1)
    }
    console.log(name)
  }
  over = true
  process.exit() // whatever timers the page has
}

module.exports = { assert, follow, origin, run, server, sleep, visit }
