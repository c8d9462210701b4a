// j-toker speaks to the server: an account's whole life, from a page of another origin.
'use strict'

const { assert, follow, origin, run, server, sleep, visit } = require('./page.cjs')

const email = 'toker@example.com'
const first = 'seventeen green bottles by the canal'
const second = 'eighteen brown bottles on the hill'

let $, url
async function open (page) {
  visit(page)
  url = await server()
  $ = require('jquery')
  require('j-toker')
  $.auth.setLocation = () => {} // jsdom has one page
  $.support.cors = true
  return $.auth.configure({ apiUrl: url, confirmationSuccessUrl: () => origin + '/welcome', passwordResetSuccessUrl: () => origin + '/reset' })
}

const hello = () => new Promise((resolve) => {
  $.ajax({ url: url + '/api/hello' }).always((a, _, b) => resolve(b.status ? b.responseText : a.status))
})
const token = () => $.auth.retrieveData('authHeaders')['access-token']
const refused = (promise) => new Promise((resolve, reject) => promise.then((r) => reject(new Error('accepted: ' + JSON.stringify(r))), (e) => resolve(e.data.errors)))

run({
  'REG-03 sign up': async () => {
    await refused(open())
    assert.deepEqual((await refused($.auth.emailSignUp({ email, password: first, password_confirmation: second }))).full_messages, ["Password confirmation doesn't match Password"])
    const { status, data } = await $.auth.emailSignUp({ email, password: first, password_confirmation: first })
    assert.equal(status, 'success')
    assert.equal(data.uid, email)
  },
  'SES-18 not before the address is proved': async () => {
    assert.match((await refused($.auth.emailSignIn({ email, password: first })))[0], /^A confirmation email was sent to your account at 'toker@example.com'/)
  },
  'CNF-02 prove it': async () => {
    assert.equal(await follow(email, '/confirmation'), origin + '/welcome?account_confirmation_success=true')
  },
  'SES-01 SES-14 sign in': async () => {
    assert.deepEqual(await refused($.auth.emailSignIn({ email, password: second })), ['Invalid login credentials. Please try again.'])
    assert.equal(await hello(), 401)
    const { data } = await $.auth.emailSignIn({ email, password: first })
    assert.equal(data.email, email)
    assert.equal($.auth.user.signedIn, true)
  },
  'ROT-05 a batch': async () => {
    for (let i = 0; i < 3; i++) {
      const answers = await Promise.all(Array.from({ length: 8 }, hello))
      assert.deepEqual(answers, Array(8).fill('Hello, ' + email))
      assert.ok(token())
      await sleep(400)
    }
  },
  'ROT-01 ROT-02 a new token': async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(1200)
      const before = token()
      assert.equal(await hello(), 'Hello, ' + email)
      assert.notEqual(token(), before)
    }
  },
  'VAL-01 another page of the same browser': async () => {
    const user = await open()
    assert.equal(user.email, email)
    assert.equal(await hello(), 'Hello, ' + email)
  },
  'PWD-06 PWD-10 PWD-19 a forgotten password': async () => {
    await $.auth.signOut()
    assert.equal(await hello(), 401)
    await $.auth.requestPasswordReset({ email })
    const landing = await follow(email, '/password/edit')
    assert.ok(landing.startsWith(origin + '/reset?'), landing)
    await open(landing)
    assert.equal($.auth.mustResetPassword, true)
    const { message } = await $.auth.updatePassword({ password: second, password_confirmation: second })
    assert.equal(message, 'Your password has been successfully updated.')
    assert.deepEqual(await refused($.auth.emailSignIn({ email, password: first })), ['Invalid login credentials. Please try again.'])
    await $.auth.emailSignIn({ email, password: second })
  },
  'UPD-01 UPD-05 change the account': async () => {
    assert.deepEqual((await refused($.auth.updateAccount({ password: first, password_confirmation: first, current_password: first }))).current_password, ['is invalid'])
    await $.auth.updateAccount({ password: first, password_confirmation: first, current_password: second })
    assert.equal(await hello(), 'Hello, ' + email)
  },
  'SES-09 SES-11 sign out': async () => {
    const { success } = await $.auth.signOut()
    assert.equal(success, true)
    assert.equal(await hello(), 401)
    assert.deepEqual(await refused($.auth.signOut()), ['User was not found or was not logged in.'])
  },
  'DEL-01 DEL-02 close the account': async () => {
    await $.auth.emailSignIn({ email, password: first })
    const { message } = await $.auth.destroyAccount()
    assert.equal(message, "Account with UID 'toker@example.com' has been destroyed.")
    assert.deepEqual(await refused($.auth.destroyAccount()), ['Unable to locate account for destruction.'])
    assert.deepEqual(await refused($.auth.emailSignIn({ email, password: first })), ['Invalid login credentials. Please try again.'])
  }
})
