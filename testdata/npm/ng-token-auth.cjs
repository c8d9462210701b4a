// ng-token-auth speaks to the server. It keeps headers only when their expiry is no earlier than what it has.
'use strict'

const { assert, follow, origin, run, server, sleep, visit } = require('./page.cjs')

let email = 'ng@example.com'
const first = 'seventeen green bottles by the canal'
const second = 'eighteen brown bottles on the hill'

let $auth, $http, $rootScope, url
async function open (page) {
  visit(page)
  url = await server()
  require('angular/angular.js') // not its index.js: to a page, what is the window's is global
  global.angular = window.angular
  require('angular-cookie')
  require('ng-token-auth')
  global.isEmpty = window.isEmpty
  window.angular.module('app', ['ng-token-auth']).config(['$authProvider', '$qProvider', ($authProvider, $qProvider) => {
    $qProvider.errorOnUnhandledRejections(false) // the client is older than these errors
    $authProvider.configure({
      apiUrl: url, validateOnPageLoad: false, confirmationSuccessUrl: origin + '/welcome', passwordResetSuccessUrl: origin + '/reset'
    })
  }])
  const injector = window.angular.bootstrap(document.body, ['app'])
  $auth = injector.get('$auth')
  $http = injector.get('$http')
  $rootScope = injector.get('$rootScope')
}

const hello = () => $http.get(url + '/api/hello').then((r) => r.data, (r) => r.status)
const token = () => $auth.retrieveData('auth_headers')['access-token']
const refused = (promise) => promise.then((r) => { throw new Error('accepted: ' + JSON.stringify(r)) }, (e) => e.errors || e.data.errors)
// The client ends what it has begun a moment after its promise is settled, and would take the next one with it.
const settled = async (promise) => {
  $rootScope.$applyAsync()
  try {
    return await promise
  } finally {
    await sleep(50)
  }
}

run({
  'REG-03 sign up': async () => {
    await open()
    assert.deepEqual((await refused($auth.submitRegistration({ email: 'ng@', password: first, password_confirmation: first }))).full_messages, ['Email is not an email'])
    const { data } = await $auth.submitRegistration({ email, password: first, password_confirmation: first })
    assert.equal(data.data.uid, email)
    assert.equal(await follow(email, '/confirmation'), origin + '/welcome?account_confirmation_success=true')
  },
  'SES-01 SES-14 sign in': async () => {
    assert.deepEqual(await refused(settled($auth.submitLogin({ email, password: second }))), ['Invalid credentials']) // the client's own words
    const user = await settled($auth.submitLogin({ email, password: first }))
    assert.equal(user.email, email)
    assert.equal(user.signedIn, true)
  },
  'ROT-05 ROT-27 batches, and new tokens': async () => {
    const seen = new Set()
    for (let i = 0; i < 4; i++) {
      assert.deepEqual(await Promise.all(Array.from({ length: 8 }, hello)), Array(8).fill('Hello, ' + email))
      seen.add(token())
      await sleep(1200)
    }
    assert.equal(seen.size, 4)
  },
  'VAL-01 another page of the same browser': async () => {
    await open()
    const user = await settled($auth.validateUser())
    assert.equal(user.email, email)
    assert.equal(await hello(), 'Hello, ' + email)
  },
  'UPD-18 UPD-03 UPD-23 another address': async () => {
    assert.deepEqual((await refused($auth.updateAccount({ email: 'ng' }))).email, ['is not an email'])
    assert.equal(await hello(), 'Hello, ' + email)
    email = 'ng.new@example.com'
    await $auth.updateAccount({ email })
    assert.equal($auth.retrieveData('auth_headers').uid, email)
    assert.equal(await hello(), 'Hello, ' + email)
    assert.equal(await follow(email, '/confirmation'), origin + '/welcome?account_confirmation_success=true')
  },
  'PWD-06 PWD-10 PWD-19 a forgotten password': async () => {
    await settled($auth.signOut())
    assert.equal(await hello(), 401)
    await $auth.requestPasswordReset({ email })
    const landing = await follow(email, '/password/edit')
    await open(landing)
    const user = await settled($auth.validateUser())
    assert.equal(user.email, email)
    assert.equal(String($auth.mustResetPassword), 'true')
    await $auth.updatePassword({ password: second, password_confirmation: second })
    assert.equal(await hello(), 'Hello, ' + email)
  },
  'SES-09 sign out, DEL-01 close the account': async () => {
    await settled($auth.signOut())
    assert.equal(await hello(), 401)
    await settled($auth.submitLogin({ email, password: second }))
    const { data } = await $auth.destroyAccount()
    assert.equal(data.message, "Account with UID 'ng.new@example.com' has been destroyed.")
    assert.deepEqual(await refused(settled($auth.submitLogin({ email, password: second }))), ['Invalid credentials'])
  }
})
